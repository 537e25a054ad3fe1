/** The smallest 64-bit ELF file that names symbols and their libc versions, as a linker lays them out. */
export function elfNeeding(symbolVersions: Record<string, string>) {
  const strings = stringTable();
  const names = Object.keys(symbolVersions);
  const versionNames = [...new Set(Object.values(symbolVersions))];
  const library = strings.add('libc.so.6');
  const symbolNames = names.map((name) => strings.add(name));
  const versionOffsets = versionNames.map((name) => strings.add(name));
  const indexOf = (name: string) => 2 + versionNames.indexOf(symbolVersions[name] ?? '');

  const symbols = Buffer.alloc(24 * names.length);
  const versions = Buffer.alloc(2 * names.length);
  names.forEach((name, index) => {
    symbols.writeUInt32LE(symbolNames[index] ?? 0, 24 * index);
    versions.writeUInt16LE(indexOf(name), 2 * index);
  });
  const needs = Buffer.alloc(16 * (1 + versionNames.length));
  needs.writeUInt16LE(1, 0);
  needs.writeUInt16LE(versionNames.length, 2);
  needs.writeUInt32LE(library, 4);
  needs.writeUInt32LE(16, 8);
  versionOffsets.forEach((offset, index) => {
    const at = 16 * (1 + index);
    needs.writeUInt16LE(2 + index, at + 6);
    needs.writeUInt32LE(offset, at + 8);
    needs.writeUInt32LE(index + 1 < versionNames.length ? 16 : 0, at + 12);
  });

  const [SYMBOLS, STRINGS, VERSIONS, NEEDS] = [1, 2, 3, 4];
  const sections = [
    { type: 0, content: Buffer.alloc(0), link: 0, info: 0 },
    { type: 11, content: symbols, link: STRINGS, info: 0 },
    { type: 3, content: strings.bytes(), link: 0, info: 0 },
    { type: 0x6fffffff, content: versions, link: SYMBOLS, info: 0 },
    { type: 0x6ffffffe, content: needs, link: STRINGS, info: 1 },
  ];
  const { bytes, offsets } = assemble(sections);
  const [strAt, symAt, verAt, needAt] = [STRINGS, SYMBOLS, VERSIONS, NEEDS].map((section) => offsets[section] ?? 0);
  const text = (offset: number) => {
    const start = (strAt ?? 0) + offset;
    return bytes.toString('latin1', start, bytes.indexOf(0, start));
  };
  const neededVersion = (index: number) => (needAt ?? 0) + 16 * (1 + index);
  return {
    bytes,
    symbols: () =>
      Object.fromEntries(
        names.map((_, index) => {
          const version = bytes.readUInt16LE((verAt ?? 0) + 2 * index) - 2;
          const symbol = text(bytes.readUInt32LE((symAt ?? 0) + 24 * index));
          return [symbol, text(bytes.readUInt32LE(neededVersion(version) + 8))];
        }),
      ),
    neededVersions: () =>
      versionNames.map((_, index) => ({
        name: text(bytes.readUInt32LE(neededVersion(index) + 8)),
        hash: bytes.readUInt32LE(neededVersion(index)),
      })),
  };
}

interface Section {
  type: number;
  content: Buffer;
  link: number;
  info: number;
}

function assemble(sections: Section[]): { bytes: Buffer; offsets: number[] } {
  const header = Buffer.alloc(64);
  const headers = Buffer.alloc(64 * sections.length);
  const offsets: number[] = [];
  let offset = header.length;
  sections.forEach(({ type, content, link, info }, index) => {
    const at = 64 * index;
    headers.writeUInt32LE(type, at + 4);
    headers.writeBigUInt64LE(BigInt(offset), at + 24);
    headers.writeBigUInt64LE(BigInt(content.length), at + 32);
    headers.writeUInt32LE(link, at + 40);
    headers.writeUInt32LE(info, at + 44);
    offsets.push(offset);
    offset += content.length;
  });
  header.writeBigUInt64LE(BigInt(offset), 0x28);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt16LE(sections.length, 0x3c);
  return { bytes: Buffer.concat([header, ...sections.map(({ content }) => content), headers]), offsets };
}

function stringTable() {
  let text = '\0';
  return {
    add(value: string): number {
      const offset = text.length;
      text += `${value}\0`;
      return offset;
    },
    bytes: () => Buffer.from(text, 'latin1'),
  };
}
