// Light, dark, or as the device has it. The choice is applied before the first paint by /theme.js; this changes it.
import { Injectable, effect, signal } from '@angular/core';

export type Theme = 'system' | 'light' | 'dark';

const key = 'latchkey.theme';
const order: readonly Theme[] = ['system', 'light', 'dark'];

@Injectable({ providedIn: 'root' })
export class ThemeChoice {
  readonly theme = signal<Theme>(chosen());

  constructor() {
    effect(() => this.apply(this.theme()));
    addEventListener('storage', (event) => {
      if (event.key === key) this.theme.set(chosen());
    });
  }

  next(): void {
    this.theme.update((theme) => order[(order.indexOf(theme) + 1) % order.length] ?? 'system');
  }

  private apply(theme: Theme): void {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    try {
      localStorage.setItem(key, theme);
    } catch {
      // Not remembered, then; it holds for this page.
    }
  }
}

function chosen(): Theme {
  const attribute = document.documentElement.dataset['theme'];
  try {
    const stored = localStorage.getItem(key);
    return order.find((theme) => theme === stored) ?? 'system';
  } catch {
    return order.find((theme) => theme === attribute) ?? 'system';
  }
}
