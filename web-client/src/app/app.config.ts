import { ApplicationConfig } from '@angular/core';
export const appConfig: ApplicationConfig = { providers: [] };
