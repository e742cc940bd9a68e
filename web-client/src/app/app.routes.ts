// The pages, and who may see them. Each is loaded when it is first visited.
import { Routes } from '@angular/router';
import { signedInGuard, signedOutGuard } from './auth/auth.guards';
import { Home } from './home/home';

export const routes: Routes = [
  { path: '', pathMatch: 'full', title: 'Home', component: Home },
  {
    path: '',
    canActivate: [signedOutGuard],
    runGuardsAndResolvers: 'always',
    children: [
      {
        path: 'login',
        title: 'Sign in',
        loadComponent: async () => (await import('./auth/pages/login')).Login,
      },
      {
        path: 'register',
        title: 'Create an account',
        loadComponent: async () => (await import('./auth/pages/register')).Register,
      },
    ],
  },
  {
    path: '',
    canActivate: [signedInGuard],
    runGuardsAndResolvers: 'always',
    children: [
      {
        path: 'profile',
        title: 'Profile',
        loadComponent: async () => (await import('./jobs/profile')).Profile,
      },
      {
        path: 'devices',
        title: 'Devices',
        loadComponent: async () => (await import('./devices/devices')).Devices,
      },
      {
        path: 'password',
        title: 'Change password',
        loadComponent: async () => (await import('./auth/pages/change-password')).ChangePassword,
      },
    ],
  },
  { path: '**', title: 'Not found', loadComponent: async () => (await import('./ui/not-found')).NotFound },
];
