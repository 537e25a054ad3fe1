import { HeldIntake } from './support.ts';

/** Answers every order in the next pass of the event loop. */
export class PromptIntake extends HeldIntake {
  override accept(...args: Parameters<HeldIntake['accept']>): void {
    super.accept(...args);
    setImmediate(() => this.settle());
  }
}
