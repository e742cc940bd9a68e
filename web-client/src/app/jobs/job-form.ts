// Title, description and status of a job, for a new one and for one that is edited. What happens with them is the
// page's business.
import { Component, OnInit, input, output, signal } from '@angular/core';
import { FormField, FormRoot, form, maxLength, required, validate } from '@angular/forms/signals';
import { JobDraft, jobStatuses } from '../api/models';
import { focusFirstError } from '../ui/form-errors';
import { TextField } from '../ui/text-field';
import { statusNames } from './status-names';

const blank: JobDraft = { title: '', description: '', status: 'open' };

@Component({
  selector: 'app-job-form',
  imports: [FormField, FormRoot, TextField],
  template: `
    <form [formRoot]="form" class="job-form" [attr.aria-label]="label()">
      <app-text-field
        [label]="draft() ? 'Title' : 'New job'"
        placeholder="What is to be done?"
        [field]="form.title"
      />
      @if (isOpen()) {
        <app-text-field label="Description" type="block" placeholder="Optional" [field]="form.description" />
        <div class="job-form-end">
          <label class="status-field">
            <span>Status</span>
            <select [formField]="form.status">
              @for (status of statuses; track status) {
                <option [value]="status">{{ names[status] }}</option>
              }
            </select>
          </label>
          <div class="actions">
            <button type="button" class="button" (click)="cancel()">Cancel</button>
            <button class="button primary">{{ action() }}</button>
          </div>
        </div>
      }
    </form>
  `,
})
export class JobForm implements OnInit {
  readonly label = input.required<string>();
  readonly action = input.required<string>();
  /** What to start from; a blank job where it is left out. */
  readonly draft = input<JobDraft>();
  readonly saved = output<JobDraft>();
  readonly cancelled = output();

  private readonly model = signal<JobDraft>(blank);
  protected readonly statuses = jobStatuses;
  protected readonly names = statusNames;
  protected readonly form = form(
    this.model,
    (path) => {
      required(path.title, { message: 'Give the job a title.' });
      validate(path.title, ({ value }) =>
        value() && !value().trim() ? { kind: 'blank', message: 'Give the job a title.' } : undefined,
      );
      maxLength(path.title, 200, { message: 'Use at most 200 characters.' });
      maxLength(path.description, 4_000, { message: 'Use at most 4,000 characters.' });
    },
    {
      submission: {
        action: () => this.save(),
        onInvalid: () => focusFirstError(this.form),
      },
    },
  );

  ngOnInit(): void {
    const { title, description, status } = this.draft() ?? blank;
    this.model.set({ title, description, status });
  }

  /** Moves the keyboard to the title. */
  focus(): void {
    this.form.title().focusBoundControl();
  }

  /** A new job needs no more than a title to begin with; the rest shows once there is one. */
  protected isOpen(): boolean {
    return this.draft() !== undefined || this.model().title !== '';
  }

  protected cancel(): void {
    this.form().reset(blank);
    this.cancelled.emit();
  }

  private save(): Promise<undefined> {
    const { title, description, status } = this.model();
    this.saved.emit({ title: title.trim(), description: description.trim(), status });
    this.form().reset(blank);
    return Promise.resolve(undefined);
  }
}
