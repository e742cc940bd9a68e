// The latchkey: a brass ring with a key's blade through it.
import { Component } from '@angular/core';

@Component({
  selector: 'app-logo',
  template: `
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="11" cy="16" r="6.5" />
      <path d="M17.5 16H29M24.5 16v5M28.5 16v3.5" />
    </svg>
  `,
})
export class Logo {}
