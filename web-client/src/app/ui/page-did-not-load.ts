// For a page whose files could not be fetched: the network is away, or a newer version has taken the place of this one.
import { inject } from '@angular/core';
import { NavigationError } from '@angular/router';
import { Toasts } from './toasts';

export function pageDidNotLoad({ url }: NavigationError): void {
  inject(Toasts).show({
    text: 'That page could not be loaded.',
    isError: true,
    // From the start, so that a newer version is fetched whole.
    action: { label: 'Try again', run: () => location.assign(url) },
  });
}
