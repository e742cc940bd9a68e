// The devices page: this session and the user's others, and how to end them. Ending this one is signing out.
import { Component, inject } from '@angular/core';
import { Device } from '../api/models';
import { Session } from '../auth/session';
import { Confirm } from '../ui/confirm';
import { Icon } from '../ui/icon';
import { LoadFailure } from '../ui/load-failure';
import { DeviceCard } from './device-card';
import { DeviceList } from './device-list';

@Component({
  selector: 'app-devices',
  imports: [DeviceCard, Icon, LoadFailure],
  providers: [DeviceList],
  templateUrl: './devices.html',
})
export class Devices {
  private readonly confirm = inject(Confirm);
  protected readonly session = inject(Session);
  protected readonly list = inject(DeviceList);

  protected async end(device: Device): Promise<void> {
    const name = device.deviceName ?? 'that device';
    const question = {
      title: 'Sign out there?',
      text: `Whoever uses ${name} will have to sign in again.`,
      action: 'Sign out there',
    };
    if (await this.confirm.ask(question)) await this.list.end(device);
  }

  protected async endOthers(): Promise<void> {
    const question = {
      title: 'Sign out everywhere else?',
      text: 'Every device but this one will have to sign in again.',
      action: 'Sign out everywhere else',
    };
    if (await this.confirm.ask(question)) await this.list.endOthers();
  }
}
