import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { turns } from '../../testing/session';
import { SiteConfig } from './site-config';

describe('SiteConfig', () => {
  async function configured(body: object | string | null, status = 200) {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    const config = TestBed.inject(SiteConfig);
    TestBed.tick();
    TestBed.inject(HttpTestingController)
      .expectOne('/config.json')
      .flush(body, { status, statusText: 'Answered' });
    await turns();
    return { registration: config.hasRegistration(), demo: config.isDemo() };
  }

  it('offers what the installation says it offers', async () => {
    expect(await configured({ registration: true, demo: true })).toEqual({ registration: true, demo: true });
  });

  it.each([
    ['nothing', null, 200],
    ['something else', { registration: 'yes' }, 200],
    ['that there is no such file', 'Not found', 404],
    ['that it is broken', null, 503],
  ])('offers nothing where it says %s', async (_, body, status) => {
    expect(await configured(body, status)).toEqual({ registration: false, demo: false });
  });
});
