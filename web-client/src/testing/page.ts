// A page as a person meets it in a test: fields by their labels, buttons by what they say.
import { Type } from '@angular/core';
import { ComponentFixture, TestBed } from '@angular/core/testing';
import { turns } from './session';

export class Page {
  private constructor(private readonly fixture: ComponentFixture<unknown>) {}

  static async open(component: Type<unknown>): Promise<Page> {
    const page = new Page(TestBed.createComponent(component));
    // Only what is in the document can have the focus.
    document.body.append(page.element);
    await page.settled();
    return page;
  }

  get text(): string {
    return this.element.textContent.replaceAll(/\s+/g, ' ');
  }

  field(label: string): HTMLInputElement | HTMLTextAreaElement {
    const found = [...this.element.querySelectorAll('label')].find(
      ({ textContent }) => textContent.trim() === label,
    );
    if (!found?.control) throw new Error(`no field “${label}”`);
    return found.control as HTMLInputElement;
  }

  type(label: string, value: string): void {
    const field = this.field(label);
    field.value = value;
    field.dispatchEvent(new Event('input'));
  }

  /** What assistive technology would read as the field's errors. */
  errorsOf(label: string): string[] {
    const id = this.field(label).getAttribute('aria-describedby') ?? '';
    const errors = id.split(' ').find((part) => part.endsWith('-errors'));
    if (!errors) return [];
    return [...this.element.querySelectorAll(`#${errors} p`)].map(({ textContent }) => textContent.trim());
  }

  button(name: string): HTMLButtonElement {
    const buttons = [...this.element.querySelectorAll('button')];
    const found = buttons.find((button) => (button.ariaLabel ?? button.textContent).trim() === name);
    if (!found) throw new Error(`no button “${name}”`);
    return found;
  }

  async press(name: string): Promise<void> {
    this.button(name).click();
    await this.settled();
  }

  async settled(): Promise<void> {
    await turns();
    this.fixture.detectChanges();
    TestBed.tick();
    await turns();
    this.fixture.detectChanges();
  }

  private get element(): HTMLElement {
    return this.fixture.nativeElement as HTMLElement;
  }
}
