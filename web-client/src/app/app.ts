// The frame around every page: the header, the banner when the server is away, messages and the one dialog.
import { Component, DOCUMENT, ElementRef, computed, inject, viewChild } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { NavigationEnd, Router, RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';
import { filter, map, skip } from 'rxjs';
import { EarlyRefresh } from './auth/early-refresh';
import { runGuardsOnChange } from './auth/guards-again';
import { Session } from './auth/session';
import { ConfirmDialog } from './ui/confirm';
import { Icon } from './ui/icon';
import { Logo } from './ui/logo';
import { OutageBanner } from './ui/outage-banner';
import { ThemeChoice } from './ui/theme';
import { ToastList } from './ui/toasts';

@Component({
  selector: 'app-root',
  imports: [RouterOutlet, RouterLink, RouterLinkActive, ConfirmDialog, Icon, Logo, OutageBanner, ToastList],
  templateUrl: './app.html',
})
export class App {
  protected readonly session = inject(Session);
  protected readonly choice = inject(ThemeChoice);
  protected readonly themeIcon = computed(
    () =>
      ({ system: 'contrast', light: 'sun', dark: 'moon' })[this.choice.theme()] as
        'contrast' | 'sun' | 'moon',
  );
  private readonly document = inject(DOCUMENT);
  private readonly main = viewChild.required<ElementRef<HTMLElement>>('main');

  constructor() {
    inject(EarlyRefresh);
    runGuardsOnChange();
    this.moveFocusWithPages();
  }

  /** To a screen reader a new page is new only if the focus goes there; the first page has it anyway. */
  private moveFocusWithPages(): void {
    const pages = inject(Router).events.pipe(
      filter((event) => event instanceof NavigationEnd),
      map(({ urlAfterRedirects }) => urlAfterRedirects.split('?')[0]),
    );
    let current: string | undefined;
    pages.pipe(skip(1), takeUntilDestroyed()).subscribe((page) => {
      const isNew = page !== current;
      current = page;
      if (isNew)
        setTimeout(() =>
          (this.document.querySelector<HTMLElement>('main h1') ?? this.main().nativeElement).focus(),
        );
    });
  }

  protected skipToContent(event: Event): void {
    event.preventDefault();
    this.main().nativeElement.focus();
  }
}
