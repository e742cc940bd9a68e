import { Component } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { TitleStrategy, provideRouter } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';
import { PageTitle } from './page-title';

@Component({ template: '' })
class Page {}

describe('PageTitle', () => {
  it('names the page before the application, and the first page not at all', async () => {
    TestBed.configureTestingModule({
      providers: [
        { provide: TitleStrategy, useClass: PageTitle },
        provideRouter([
          { path: '', title: 'Home', component: Page, pathMatch: 'full' },
          { path: 'devices', title: 'Devices', component: Page },
        ]),
      ],
    });
    const harness = await RouterTestingHarness.create('/devices');
    expect(document.title).toBe('Devices · Latchkey');
    await harness.navigateByUrl('/');
    expect(document.title).toBe('Latchkey');
  });
});
