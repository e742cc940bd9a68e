// The user's sessions as the page shows them. Those that are being ended are hidden at once and come back should that
// fail.
import { DestroyRef, Injectable, computed, inject, signal } from '@angular/core';
import { firstValueFrom } from 'rxjs';
import { AuthApi } from '../api/auth-api';
import { Device } from '../api/models';
import { toProblem } from '../api/problem';
import { loadedForSession } from '../auth/loaded';
import { explain } from '../ui/form-errors';
import { Toasts } from '../ui/toasts';

@Injectable()
export class DeviceList {
  private readonly api = inject(AuthApi);
  private readonly toasts = inject(Toasts);

  readonly source = loadedForSession(() => this.api.devices());
  /** Ended, or on the way to it. */
  private readonly ended = signal<ReadonlySet<string>>(new Set());
  private readonly live = computed(
    () => this.source.value()?.devices.filter(({ id }) => !this.ended().has(id)) ?? [],
  );

  readonly here = computed(() => this.live().find(({ current }) => current));
  readonly others = computed(() => this.live().filter(({ current }) => !current));
  /** The clock to count "5 minutes ago" from, in milliseconds. */
  readonly asOf = computed(() => this.source.value()?.asOf ?? Date.now());

  constructor() {
    this.reloadWhenSeenAgain();
  }

  async end(device: Device): Promise<void> {
    await this.hideWhile([device], () => firstValueFrom(this.api.endDevice(device.id)));
  }

  async endOthers(): Promise<void> {
    await this.hideWhile(this.others(), () => firstValueFrom(this.api.endOtherDevices()));
  }

  /** Someone who comes back to the page wants to see how things are now. */
  private reloadWhenSeenAgain(): void {
    const reload = () => {
      if (document.visibilityState === 'visible') this.source.reload();
    };
    document.addEventListener('visibilitychange', reload);
    inject(DestroyRef).onDestroy(() => document.removeEventListener('visibilitychange', reload));
  }

  private async hideWhile(devices: readonly Device[], end: () => Promise<unknown>): Promise<void> {
    const ids = devices.map(({ id }) => id);
    this.ended.update((ended) => new Set([...ended, ...ids]));
    try {
      await end();
    } catch (error) {
      const problem = toProblem(error);
      // Gone already is as good as ended.
      if (problem.status === 404) return;
      this.ended.update((ended) => new Set([...ended].filter((id) => !ids.includes(id))));
      this.toasts.show({ text: `Not signed out there. ${explain(problem)}`, isError: true });
    }
  }
}
