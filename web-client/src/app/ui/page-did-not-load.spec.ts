import { Component } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { Router, provideRouter, withNavigationErrorHandler } from '@angular/router';
import { pageDidNotLoad } from './page-did-not-load';
import { Toasts } from './toasts';

@Component({ template: '' })
class Page {}

describe('pageDidNotLoad', () => {
  it('says so, and leaves the user where they are', async () => {
    const loadComponent = () => Promise.reject<typeof Page>(new TypeError('Failed to fetch'));
    const routes = [
      { path: '', component: Page, pathMatch: 'full' as const },
      { path: 'devices', loadComponent },
    ];
    TestBed.configureTestingModule({
      providers: [provideRouter(routes, withNavigationErrorHandler(pageDidNotLoad))],
    });
    const router = TestBed.inject(Router);
    await router.navigateByUrl('/');
    await router.navigateByUrl('/devices').catch(() => false);
    expect(TestBed.inject(Toasts).toasts()[0]).toMatchObject({
      text: 'That page could not be loaded.',
      action: { label: 'Try again' },
    });
    expect(router.url).toBe('/');
  });
});
