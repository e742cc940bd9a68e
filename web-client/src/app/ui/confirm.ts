// Asks before something that cannot be taken back. The browser's own modal dialog keeps the focus inside, gives it back
// afterwards and closes on Escape.
import {
  Component,
  ElementRef,
  Injectable,
  afterRenderEffect,
  inject,
  signal,
  viewChild,
} from '@angular/core';

export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button says that does it. */
  readonly action: string;
}

@Injectable({ providedIn: 'root' })
export class Confirm {
  private readonly asked = signal<(Question & { answer: (isConfirmed: boolean) => void }) | undefined>(
    undefined,
  );
  readonly question = this.asked.asReadonly();

  /** Resolves to whether the user wants it done. */
  ask(question: Question): Promise<boolean> {
    this.answer(false);
    return new Promise((answer) => this.asked.set({ ...question, answer }));
  }

  answer(isConfirmed: boolean): void {
    this.asked()?.answer(isConfirmed);
    this.asked.set(undefined);
  }
}

@Component({
  selector: 'app-confirm-dialog',
  template: `
    <dialog
      #dialog
      aria-labelledby="confirm-title"
      aria-describedby="confirm-text"
      (close)="confirm.answer(false)"
    >
      @if (confirm.question(); as question) {
        <h2 id="confirm-title">{{ question.title }}</h2>
        <p id="confirm-text" class="muted">{{ question.text }}</p>
        <div class="actions">
          <button type="button" class="button" (click)="confirm.answer(false)">Cancel</button>
          <button type="button" class="button danger" (click)="confirm.answer(true)">
            {{ question.action }}
          </button>
        </div>
      }
    </dialog>
  `,
})
export class ConfirmDialog {
  protected readonly confirm = inject(Confirm);
  private readonly dialog = viewChild.required<ElementRef<HTMLDialogElement>>('dialog');

  constructor() {
    afterRenderEffect(() => {
      const dialog = this.dialog().nativeElement;
      if (this.confirm.question()) dialog.showModal();
      else if (dialog.open) dialog.close();
    });
  }
}
