/**
 * The smallest reading of a 64-bit little-endian ELF file that rebinding a versioned symbol takes: the dynamic symbols, their version
 * indices, and the versions needed from each library. Layouts: "ELF-64 Object File Format" and the LSB's "Symbol Versioning".
 */
const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const SHT_GNU_VERSYM = 0x6fffffff;
const SYMBOL_SIZE = 24;
/** The top bit of a version index marks a hidden symbol. */
const VERSION_INDEX = 0x7fff;

/** Newer headers make plain `strtol` and its kin into these, so only the name asks for a newer libc. */
const NEW_NAME_PREFIX = '__isoc23_';

/**
 * Turns every `__isoc23_*` symbol of libc's version `from` into its plain name of version `to`, in place, and makes the need of `from` a
 * need of `to`.
 * @returns the renamed symbols.
 * @throws when the file needs something else of version `from`, or lacks either version.
 */
export function rebindLibc(file, { from, to }) {
  const sections = readSections(file);
  const symbols = sectionOf(sections, SHT_DYNSYM, 'dynamic symbols');
  const versions = sectionOf(sections, SHT_GNU_VERSYM, 'symbol versions');
  const needs = sectionOf(sections, SHT_GNU_VERNEED, 'needed versions');
  const strings = sections[symbols.link];
  const nameAt = (offset) => {
    const start = strings.offset + offset;
    return file.toString('latin1', start, file.indexOf(0, start));
  };

  const libc = neededVersions(file, needs, nameAt).filter(({ library }) => library === 'libc.so.6');
  const old = libc.find(({ name }) => name === from);
  const base = libc.find(({ name }) => name === to);
  if (old === undefined || base === undefined) throw new Error(`the file does not need both ${from} and ${to} of libc`);

  const renamed = [];
  for (let index = 0; index < symbols.size / SYMBOL_SIZE; index++) {
    const version = versions.offset + 2 * index;
    if ((file.readUInt16LE(version) & VERSION_INDEX) !== old.index) continue;
    const symbol = symbols.offset + SYMBOL_SIZE * index;
    const nameOffset = file.readUInt32LE(symbol);
    const name = nameAt(nameOffset);
    if (!name.startsWith(NEW_NAME_PREFIX)) throw new Error(`${name} of ${from} has no older twin`);
    // The plain name is the tail of the new one, so it is in the string table already.
    file.writeUInt32LE(nameOffset + NEW_NAME_PREFIX.length, symbol);
    file.writeUInt16LE(base.index, version);
    renamed.push(name);
  }
  file.writeUInt32LE(elfHash(to), old.at);
  file.writeUInt32LE(base.nameOffset, old.at + 8);
  return renamed;
}

function readSections(file) {
  const offset = Number(file.readBigUInt64LE(0x28));
  const size = file.readUInt16LE(0x3a);
  return Array.from({ length: file.readUInt16LE(0x3c) }, (_, index) => {
    const header = offset + index * size;
    return {
      type: file.readUInt32LE(header + 4),
      offset: Number(file.readBigUInt64LE(header + 24)),
      size: Number(file.readBigUInt64LE(header + 32)),
      link: file.readUInt32LE(header + 40),
      info: file.readUInt32LE(header + 44),
    };
  });
}

function sectionOf(sections, type, what) {
  const section = sections.find((candidate) => candidate.type === type);
  if (section === undefined) throw new Error(`the file has no ${what}`);
  return section;
}

/** Each entry: library, version name, version index, and where in the file the entry and its name are. */
function neededVersions(file, section, nameAt) {
  const versions = [];
  let library = section.offset;
  for (let i = 0; i < section.info; i++) {
    let entry = library + file.readUInt32LE(library + 8);
    for (let j = 0; j < file.readUInt16LE(library + 2); j++) {
      const nameOffset = file.readUInt32LE(entry + 8);
      versions.push({
        library: nameAt(file.readUInt32LE(library + 4)),
        name: nameAt(nameOffset),
        index: file.readUInt16LE(entry + 6) & VERSION_INDEX,
        at: entry,
        nameOffset,
      });
      entry += file.readUInt32LE(entry + 12);
    }
    library += file.readUInt32LE(library + 12);
  }
  return versions;
}

/** The System V hash of a version's name, which the loader compares before the name itself. */
export function elfHash(name) {
  let hash = 0;
  for (const code of Buffer.from(name)) {
    hash = ((hash << 4) + code) >>> 0;
    const high = hash & 0xf0000000;
    hash = ((hash ^ (high >>> 24)) & ~high) >>> 0;
  }
  return hash;
}
