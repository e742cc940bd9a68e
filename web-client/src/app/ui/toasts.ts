// Short messages about what just happened, with at most one thing to do about it. Read out politely by screen readers.
import { Component, Injectable, inject, signal } from '@angular/core';
import { Icon } from './icon';

export interface Toast {
  readonly text: string;
  readonly isError?: boolean;
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** How long a message stays, in milliseconds. One that offers something to do, or reports an error, stays until closed. */
const shown = 6_000;

@Injectable({ providedIn: 'root' })
export class Toasts {
  private readonly list = signal<readonly Toast[]>([]);
  readonly toasts = this.list.asReadonly();

  show(toast: Toast): void {
    this.list.update((toasts) => [...toasts.slice(-2), toast]);
    if (!toast.action && !toast.isError) setTimeout(() => this.close(toast), shown);
  }

  close(closed: Toast): void {
    this.list.update((toasts) => toasts.filter((toast) => toast !== closed));
  }
}

@Component({
  selector: 'app-toasts',
  imports: [Icon],
  template: `
    <div class="toasts" role="log" aria-live="polite" aria-label="Messages">
      @for (toast of toasts.toasts(); track toast) {
        <div class="toast" [class.toast-error]="toast.isError">
          <app-icon [name]="toast.isError ? 'alert' : 'check'" />
          <span>{{ toast.text }}</span>
          @if (toast.action; as action) {
            <button type="button" class="link" (click)="toasts.close(toast); action.run()">
              {{ action.label }}
            </button>
          }
          <button
            type="button"
            class="icon-button"
            aria-label="Close this message"
            (click)="toasts.close(toast)"
          >
            <app-icon name="close" />
          </button>
        </div>
      }
    </div>
  `,
})
export class ToastList {
  protected readonly toasts = inject(Toasts);
}
