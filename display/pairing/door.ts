// Decides which screens may show tickets. Created by display/server.ts and by the kitchen of the edge agent; asked by page-server.ts.

import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import { hashOf, isScreenToken, newCode, newScreenToken } from './code.ts';
import type { AdmittedScreen, Pairing, ScreenRegister } from './register.ts';

/** A screen that was revoked loses its connection after this time at most, and the time of one question to the register. */
const LOOK_MS = 2_000;
const CODE_TTL_MS = 10 * 60_000;
const OPEN_CODES_MAX = 500;
/** Enough for the screens of one restaurant, which share an address, and too few to use up the codes of all. */
const OPEN_CODES_OF_ADDRESS_MAX = 20;
/** Tokens whose screen is remembered while it has no connection, so that it comes back while the register does not answer. */
const REMEMBERED_MAX = 10_000;

/** What a page may do. */
export type Access =
  /** @property storeId `undefined`: every store of the chain */
  | ({ access: 'paired' } & AdmittedScreen)
  /** @property command the command line that admits the code */
  | { access: 'waiting'; code: string; expiresAt: number; command: string }
  | { access: 'unpaired' }
  /** The register does not answer, and the screen is not remembered. */
  | { access: 'unknown'; reason: string };

export interface ScreenDoorOptions {
  register: ScreenRegister;
  /** The command line that admits a code here: the page shows it. `ordermesh display pair` by default. */
  commandFor?(code: string): string;
  logger: Logger;
  /** Called with the ids of screens that are not admitted any more. */
  onRemoved(screenIds: ReadonlySet<string>): void;
}

export class ScreenDoor {
  readonly #options: ScreenDoorOptions;
  readonly #states: StateLog;
  /** By the hash of the token, the one used last at the end. */
  readonly #remembered = new Map<string, AdmittedScreen>();
  #timer: NodeJS.Timeout;
  #trouble: string | undefined;
  #closed = false;

  constructor(options: ScreenDoorOptions) {
    this.#options = options;
    this.#states = new StateLog(options.logger);
    this.#timer = setTimeout(() => void this.#look(), LOOK_MS);
  }

  /** Why screens cannot be looked up; `undefined` while they can. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The screen with this token, if it is remembered: then a page need not wait for the register. */
  known(token: string): AdmittedScreen | undefined {
    return this.#remembered.get(hashOf(token).toString('base64'));
  }

  /** Never rejects. */
  async accessOf(token: string): Promise<Access> {
    if (!isScreenToken(token)) return { access: 'unpaired' };
    const known = this.known(token);
    if (known !== undefined) return { access: 'paired', ...known };
    const hash = hashOf(token);
    try {
      const screen = await this.#options.register.find(hash);
      if (screen !== undefined) {
        this.#remember(hash, screen);
        return { access: 'paired', ...screen };
      }
      const pairing = await this.#options.register.pairingOf(hash);
      this.#answered();
      return pairing === undefined ? { access: 'unpaired' } : this.#waiting(pairing);
    } catch (error) {
      return this.#failed(error as Error);
    }
  }

  /**
   * A code for a page, and the token that the page keeps. The token counts once the code is admitted, so a person who reads the code off the screen has
   * nothing. A page that has an open code keeps it.
   * @param token what the page has from before; empty if it has none
   */
  async pair(
    token: string,
    wantsStore: string | undefined,
    address: string,
  ): Promise<{ token: string; access: Access | { access: 'full' } }> {
    const access = await this.accessOf(token);
    if (access.access !== 'unpaired') return { token, access };
    // Never the old token: a screen that was removed must not come back by a token that others may have read.
    const fresh = newScreenToken();
    try {
      for (;;) {
        const opened = await this.#options.register.openPairing({
          code: newCode(),
          tokenHash: hashOf(fresh),
          wantsStore,
          address,
          ttlMs: CODE_TTL_MS,
          openMax: OPEN_CODES_MAX,
          openOfAddressMax: OPEN_CODES_OF_ADDRESS_MAX,
        });
        if (opened === 'full') {
          this.#options.logger.warn({ address }, 'too many screens wait for their admission; a screen got no code');
          return { token, access: { access: 'full' } };
        }
        if (opened !== 'taken') return { token: fresh, access: this.#waiting(opened) };
      }
    } catch (error) {
      return { token, access: this.#failed(error as Error) };
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    return this.#options.register.close();
  }

  /** Asks the register which of the remembered screens are still admitted. */
  async #look(): Promise<void> {
    try {
      const ids = [...new Set([...this.#remembered.values()].map(({ screenId }) => screenId))];
      // Asked with none as well: that proves that the register answers.
      const admitted = await this.#options.register.renew(ids);
      this.#answered();
      const removed = new Set(ids.filter((id) => !admitted.has(id)));
      for (const [hash, { screenId }] of this.#remembered) if (removed.has(screenId)) this.#remembered.delete(hash);
      if (removed.size > 0 && !this.#closed) {
        this.#options.logger.info({ screens: [...removed] }, 'screens were removed; they ask to be paired again');
        this.#options.onRemoved(removed);
      }
    } catch (error) {
      this.#failed(error as Error);
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), LOOK_MS);
  }

  #remember(hash: Buffer, screen: AdmittedScreen): void {
    this.#answered();
    this.#remembered.set(hash.toString('base64'), screen);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED_MAX && oldest !== undefined) this.#remembered.delete(oldest);
  }

  #waiting({ code, wantsStore, expiresAt }: Pairing): Access {
    const command = this.#options.commandFor?.(code) ?? `ordermesh display pair ${code} ${optionFor(wantsStore)}`;
    return { access: 'waiting', code, expiresAt: expiresAt.getTime(), command };
  }

  #answered(): void {
    this.#trouble = undefined;
    this.#states.end('silent', 'screens can be looked up again');
  }

  #failed(error: Error): Access {
    this.#trouble = `screens cannot be looked up: ${error.message}`;
    if (!this.#closed)
      this.#states.begin('silent', 'screens cannot be looked up; paired ones go on, new ones wait', { err: error });
    return { access: 'unknown', reason: 'The display cannot look up its screens now. It tries again by itself.' };
  }
}

/** The text comes from an address that anybody can write, and a person copies it into a shell. */
function optionFor(wantsStore: string | undefined): string {
  if (wantsStore === undefined) return '--chain';
  return /^[a-z0-9-]+$/.test(wantsStore) ? `--store ${wantsStore}` : '--store STORE';
}
