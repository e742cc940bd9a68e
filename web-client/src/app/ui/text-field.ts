// A labelled line or block of text with its hint and its errors, tied together for screen readers. What is valid is the
// form's to say; errors appear once the field was left or the form was sent.
import { Component, computed, input, signal } from '@angular/core';
import { FieldTree, FormField } from '@angular/forms/signals';
import { Icon } from './icon';

let fields = 0;

@Component({
  selector: 'app-text-field',
  imports: [FormField, Icon],
  templateUrl: './text-field.html',
})
export class TextField {
  readonly label = input.required<string>();
  readonly field = input.required<FieldTree<string>>();
  readonly type = input<'text' | 'email' | 'password' | 'block'>('text');
  readonly autocomplete = input<AutoFill>('off');
  readonly hint = input('');
  readonly placeholder = input('');

  protected readonly id = `field-${(fields += 1)}`;
  protected readonly isRevealed = signal(false);
  protected readonly inputType = computed(() => (this.isRevealed() ? 'text' : this.type()));
  protected readonly errors = computed(() => {
    const state = this.field()();
    return state.touched() ? state.errors() : [];
  });
  protected readonly describedBy = computed(() => {
    const parts = [this.hint() && `${this.id}-hint`, this.errors().length > 0 && `${this.id}-errors`];
    return parts.filter(Boolean).join(' ') || null;
  });
}
