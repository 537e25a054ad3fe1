// What stands before the functions in generated code: names that occur once, hashes, and constants. Used by the two source generators.

export class Declarations {
  readonly lines: string[] = [];
  /** The values of the constants. The generated code gets them as the parameter `constants`. */
  readonly constants: unknown[] = [];
  #names = 0;

  /** A name that no other declaration has. */
  name(prefix: string): string {
    this.#names++;
    return `${prefix}${this.#names}`;
  }

  /** The name of a new `ObjectHash`. */
  hash(): string {
    const name = this.name('hash');
    this.lines.push(`const ${name} = new ObjectHash();`);
    return name;
  }

  /** The name of a constant that has this value. */
  constant(value: unknown): string {
    const name = this.name('constant');
    this.lines.push(`const ${name} = constants[${this.constants.length}];`);
    this.constants.push(value);
    return name;
  }

  text(): string {
    return this.lines.join('\n');
  }
}
