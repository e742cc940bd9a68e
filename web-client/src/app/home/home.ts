// The first page: what Latchkey is, and for someone signed in their own keys at work.
import { Component, inject } from '@angular/core';
import { RouterLink } from '@angular/router';
import { Session } from '../auth/session';
import { Icon } from '../ui/icon';
import { SiteConfig } from '../ui/site-config';
import { KeysAtWork } from './keys-at-work';

@Component({
  selector: 'app-home',
  imports: [Icon, KeysAtWork, RouterLink],
  templateUrl: './home.html',
})
export class Home {
  protected readonly session = inject(Session);
  protected readonly site = inject(SiteConfig);
}
