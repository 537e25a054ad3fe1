// Shows a code until the screen is admitted. main.ts runs it first.

import { element, find, setText } from './dom.ts';

/** What the server says of this screen (display/pairing/door.ts). */
type Access =
  | { access: 'open' }
  | { access: 'paired'; storeId?: string; name: string }
  | { access: 'waiting'; code: string; expiresAt: number; command: string }
  | { access: 'unpaired' }
  | { access: 'full' }
  | { access: 'unknown'; reason: string };

const ASK_MS = 2_000;
/** Set before the page is loaded again, so that it can say why it shows a code. */
const REMOVED = 'ordermesh-screen-removed';

/**
 * Resolves when this screen may show tickets.
 * @param wantsStore the store of the page's address; `undefined` for the page of the chain
 * @returns the store that the screen was admitted to; `undefined` for every store
 */
export async function admission(wantsStore: string | undefined): Promise<string | undefined> {
  const view = new PairingView();
  for (;;) {
    const access = await ask('GET', '/v1/screens/me');
    if (access.access === 'open' || access.access === 'paired') {
      sessionStorage.removeItem(REMOVED);
      view.close();
      return access.access === 'paired' ? access.storeId : undefined;
    }
    if (access.access === 'unpaired') {
      const query = wantsStore === undefined ? '' : `?store=${encodeURIComponent(wantsStore)}`;
      view.show(await ask('POST', `/v1/screens/pairing${query}`));
    } else view.show(access);
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}

/** Loads the page again if this screen is not admitted any more. */
export async function reloadIfRemoved(): Promise<void> {
  const { access } = await ask('GET', '/v1/screens/me');
  if (access === 'unpaired' || access === 'waiting') removed();
}

/** This screen was removed while it was connected. */
export function removed(): void {
  sessionStorage.setItem(REMOVED, 'yes');
  location.reload();
}

async function ask(method: 'GET' | 'POST', path: string): Promise<Access> {
  try {
    const response = await fetch(path, { method, cache: 'no-store' });
    return (await response.json()) as Access;
  } catch {
    // The view says it, and the next question follows.
    return { access: 'unknown', reason: 'No connection to the display service. This page tries again by itself.' };
  }
}

class PairingView {
  #node: HTMLElement | undefined;
  #code = element('p', { class: 'pairing-code' });
  #note = element('p', { class: 'pairing-note' });
  #command = element('code');

  show(access: Access): void {
    this.#node ??= this.#open();
    if (access.access === 'waiting') {
      const { code, command } = access;
      setText(this.#command, command);
      setText(this.#code, `${code.slice(0, 3)} ${code.slice(3)}`);
      this.#code.setAttribute('aria-label', [...code].join(' '));
      setText(this.#note, 'The code changes after ten minutes. This page goes on by itself when it is admitted.');
    } else if (access.access === 'full') {
      setText(this.#code, '– – –');
      setText(this.#note, 'Too many screens wait for their admission. This page asks again by itself.');
    } else if (access.access === 'unknown') {
      setText(this.#note, access.reason);
    }
  }

  close(): void {
    this.#node?.remove();
    document.body.removeAttribute('data-pairing');
  }

  #open(): HTMLElement {
    const wasRemoved = sessionStorage.getItem(REMOVED) !== null;
    const node = element(
      'section',
      { class: 'pairing' },
      element('h2', {}, wasRemoved ? 'This screen was removed; pair again' : 'Pair this screen'),
      this.#code,
      element('p', {}, 'An operator of the mesh admits it:'),
      element('p', {}, this.#command),
      this.#note,
    );
    document.body.dataset.pairing = 'yes';
    find('main').append(node);
    return node;
  }
}
