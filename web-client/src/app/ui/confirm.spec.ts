import { TestBed } from '@angular/core/testing';
import { Confirm, ConfirmDialog } from './confirm';

const question = { title: 'Remove?', text: 'For good.', action: 'Remove' };

describe('Confirm', () => {
  // jsdom knows the element but not how to open it.
  beforeEach(() => {
    HTMLDialogElement.prototype.showModal = function () {
      this.open = true;
    };
    HTMLDialogElement.prototype.close = function () {
      this.open = false;
      this.dispatchEvent(new Event('close'));
    };
  });

  async function show() {
    const confirm = TestBed.inject(Confirm);
    const fixture = TestBed.createComponent(ConfirmDialog);
    const answer = confirm.ask(question);
    await fixture.whenStable();
    const element = fixture.nativeElement as HTMLElement;
    const dialog = element.querySelector('dialog') as HTMLDialogElement;
    const press = async (text: string) => {
      [...element.querySelectorAll('button')].find((button) => button.textContent.trim() === text)?.click();
      await fixture.whenStable();
    };
    return { confirm, answer, dialog, press };
  }

  it('shows the question, and says yes when it is confirmed', async () => {
    const { answer, dialog, press } = await show();
    expect(dialog.open).toBe(true);
    expect(dialog.textContent).toContain('For good.');
    await press('Remove');
    expect(await answer).toBe(true);
    expect(dialog.open).toBe(false);
  });

  it('says no when it is cancelled', async () => {
    const { answer, press } = await show();
    await press('Cancel');
    expect(await answer).toBe(false);
  });

  it('says no when the browser closes it, as on Escape', async () => {
    const { answer, dialog } = await show();
    dialog.close();
    expect(await answer).toBe(false);
  });

  it('answers an older question with no when there is a newer one', async () => {
    const { confirm, answer } = await show();
    const second = confirm.ask(question);
    expect(await answer).toBe(false);
    confirm.answer(true);
    expect(await second).toBe(true);
  });
});
