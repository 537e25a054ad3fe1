export interface KeyActions {
  bump(position: number): void;
  start(position: number): void;
  recallLast(): void;
  list(): void;
}

/**
 * Keys of a keyboard or of a bump bar, which types digits and letters as a keyboard does. A key that is held down counts once (`repeat` is
 * ignored), so that an elbow on the keyboard does not clear the board.
 */
export function listenToKeys(actions: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || isDialogOpen()) return;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    if (digit !== undefined) {
      if (event.shiftKey) actions.start(Number(digit));
      else actions.bump(Number(digit));
    } else if (event.code === 'KeyR') actions.recallLast();
    else if (event.code === 'KeyL') actions.list();
    else if (event.code.startsWith('Arrow')) moveFocus(event.code);
    else return;
    event.preventDefault();
  });
}

function isDialogOpen(): boolean {
  return document.querySelector('dialog[open]') !== null;
}

/** Arrow keys move the focus from one bump button to the next. */
function moveFocus(code: string): void {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>('.ticket:not([data-left]) .bump')];
  if (buttons.length === 0) return;
  const current = buttons.findIndex((button) => button.matches(':focus'));
  const step = code === 'ArrowLeft' || code === 'ArrowUp' ? -1 : 1;
  const next = current === -1 ? 0 : Math.max(0, Math.min(buttons.length - 1, current + step));
  buttons[next]?.focus();
}
