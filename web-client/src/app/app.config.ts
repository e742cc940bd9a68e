// What the application is made of: the router with its pages, the one interceptor that knows about tokens, and the
// one that knows how long to wait.
import { provideHttpClient, withInterceptors, withNoXsrfProtection } from '@angular/common/http';
import { ApplicationConfig, provideBrowserGlobalErrorListeners } from '@angular/core';
import {
  PreloadAllModules,
  TitleStrategy,
  provideRouter,
  withComponentInputBinding,
  withInMemoryScrolling,
  withNavigationErrorHandler,
  withPreloading,
} from '@angular/router';
import { patienceInterceptor } from './api/patience.interceptor';
import { routes } from './app.routes';
import { authInterceptor } from './auth/auth.interceptor';
import { pageDidNotLoad } from './ui/page-did-not-load';
import { PageTitle } from './ui/page-title';

export const appConfig: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideRouter(
      routes,
      withComponentInputBinding(),
      withInMemoryScrolling({ scrollPositionRestoration: 'enabled', anchorScrolling: 'enabled' }),
      // A page that is there already can be visited while the network is not.
      withPreloading(PreloadAllModules),
      withNavigationErrorHandler(pageDidNotLoad),
    ),
    // No cookie takes part in signing in, so there is nothing to forge.
    provideHttpClient(withInterceptors([authInterceptor, patienceInterceptor]), withNoXsrfProtection()),
    { provide: TitleStrategy, useClass: PageTitle },
  ],
};
