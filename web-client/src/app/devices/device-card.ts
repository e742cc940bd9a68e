// One session: what device it is on, when it was last used, and a way to end it.
import { Component, computed, input, output } from '@angular/core';
import { Device } from '../api/models';
import { Icon, IconName } from '../ui/icon';
import { plainTime, relativeTime } from '../ui/relative-time';

@Component({
  selector: 'app-device-card',
  imports: [Icon],
  template: `
    <article class="card device" [class.here]="device().current">
      <span class="device-icon"><app-icon [name]="icon()" /></span>
      <div class="device-text">
        <h3>
          {{ name() }}
          @if (device().current) {
            <span class="badge">This device</span>
          }
        </h3>
        <p class="muted">
          {{ device().current ? 'In use now' : 'Last used ' + lastUsed() }}
          @if (device().ipAddress) {
            · {{ device().ipAddress }}
          }
        </p>
        <p class="small muted">Signed in {{ signedIn() }}</p>
      </div>
      @if (device().current) {
        <button type="button" class="button small" (click)="leave.emit()">Sign out</button>
      } @else {
        <button
          type="button"
          class="button small"
          [attr.aria-label]="'Sign out ' + name()"
          (click)="leave.emit()"
        >
          Sign out
        </button>
      }
    </article>
  `,
})
export class DeviceCard {
  readonly device = input.required<Device>();
  readonly asOf = input.required<number>();
  readonly leave = output();

  protected readonly name = computed(() => this.device().deviceName ?? 'Unknown device');
  protected readonly lastUsed = computed(() => relativeTime(this.device().lastUsedAt, this.asOf()));
  protected readonly signedIn = computed(() => plainTime(this.device().createdAt));
  protected readonly icon = computed<IconName>(() => {
    if (/phone|android|ios|ipad|mobile/i.test(this.name())) return 'phone';
    return /terminal|curl|wget|http|script|cli|api|rust|python/i.test(this.name()) ? 'terminal' : 'laptop';
  });
}
