import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../contracts/config/config.ts';
import { claimsOf } from './forwarder/token-expiry.ts';

/** The token with which the agent sends orders to the region. Its file may be replaced while the agent runs. */
export class StoreToken {
  readonly #file: string;
  /** The store of the token; `undefined` for a token without the claim. */
  store: string | undefined;

  /** @throws ConfigError when the file cannot be read or holds no token. */
  constructor(file: string) {
    this.#file = file;
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new ConfigError(
        `ORDERMESH_EDGE_TOKEN_FILE is ${JSON.stringify(file)}, which cannot be read: ${(error as Error).message}`,
      );
    }
    this.store = storeOf(this.#tokenIn(text));
  }

  /**
   * The token as it is in the file now.
   * @throws ConfigError when the file holds no token; the error of the file system when it cannot be read.
   */
  async read(): Promise<string> {
    const token = this.#tokenIn(await readFile(this.#file, 'utf8'));
    this.store = storeOf(token) ?? this.store;
    return token;
  }

  #tokenIn(text: string): string {
    const token = text.trim();
    if (!ONE_TOKEN.test(token))
      throw new ConfigError(
        `ORDERMESH_EDGE_TOKEN_FILE is ${JSON.stringify(this.#file)}; it takes a file with one token and nothing else`,
      );
    return token;
  }
}

/** Characters that a header may contain. */
const ONE_TOKEN = /^[\x21-\x7e]+$/;

/** The `store` claim. The agent uses it only to refuse orders that the region would refuse. */
function storeOf(token: string): string | undefined {
  const store = claimsOf(token)?.store;
  return typeof store === 'string' ? store : undefined;
}
