// For an address that leads nowhere.
import { Component } from '@angular/core';
import { RouterLink } from '@angular/router';

@Component({
  selector: 'app-not-found',
  imports: [RouterLink],
  template: `
    <section class="page narrow empty">
      <h1 tabindex="-1">No such page</h1>
      <p class="muted">This key fits no door here.</p>
      <a class="button primary" routerLink="/">Back to the start</a>
    </section>
  `,
})
export class NotFound {}
