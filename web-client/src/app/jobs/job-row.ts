// One job in the list: its state can be changed in place, the rest is edited in the row.
import { Component, ElementRef, computed, inject, input, output, signal } from '@angular/core';
import { JobDraft, JobStatus, jobStatuses } from '../api/models';
import { Icon } from '../ui/icon';
import { plainTime } from '../ui/relative-time';
import { ShownJob } from './changes';
import { JobForm } from './job-form';
import { statusNames } from './status-names';

@Component({
  selector: 'app-job-row',
  imports: [Icon, JobForm],
  templateUrl: './job-row.html',
})
export class JobRow {
  private readonly host = inject<ElementRef<HTMLElement>>(ElementRef);

  readonly job = input.required<ShownJob>();
  readonly edited = output<JobDraft>();
  readonly removed = output();

  protected readonly isEditing = signal(false);
  protected readonly statuses = jobStatuses;
  protected readonly names = statusNames;
  protected readonly updated = computed(() => plainTime(this.job().updatedAt));
  /** A job that the server has not seen yet has no id to be changed under. */
  protected readonly isNew = computed(() => this.job().id.startsWith('new-'));

  protected setStatus(event: Event): void {
    const { title, description } = this.job();
    this.edited.emit({ title, description, status: (event.target as HTMLSelectElement).value as JobStatus });
  }

  protected startEditing(): void {
    this.isEditing.set(true);
    this.focusOn('input');
  }

  protected save(draft: JobDraft): void {
    this.edited.emit(draft);
    this.stopEditing();
  }

  protected stopEditing(): void {
    this.isEditing.set(false);
    this.focusOn('.edit');
  }

  /** The control that had the focus is gone: without this, a keyboard would start over at the top of the page. */
  private focusOn(selector: string): void {
    setTimeout(() => this.host.nativeElement.querySelector<HTMLElement>(selector)?.focus());
  }
}
