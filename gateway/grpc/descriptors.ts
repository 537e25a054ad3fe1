// Mends the file descriptors that the reflection service hands out. Called by server.ts.

import { createRequire } from 'node:module';
import type { PackageDefinition } from '@grpc/proto-loader';

interface Field {
  name: string;
  type: string;
  typeName?: string;
  oneofIndex?: number;
  proto3Optional?: boolean;
}

interface MessageDescriptor {
  name: string;
  field?: Field[];
  nestedType?: MessageDescriptor[];
  enumType?: { name: string }[];
  oneofDecl?: { name: string }[];
  options?: { mapEntry?: boolean };
}

interface FileDescriptor {
  name: string;
  package: string;
  dependency?: string[];
  messageType?: MessageDescriptor[];
  enumType?: { name: string }[];
  service?: { method: { inputType: string; outputType: string }[] }[];
}

interface Codec {
  decode(bytes: Buffer): { toJSON(): FileDescriptor };
  fromObject(file: FileDescriptor): object;
  encode(message: object): { finish(): Uint8Array };
}

// The descriptor codec of the library that the proto loader stands on; it has no typing that ESM can use.
const { FileDescriptorProto } = createRequire(import.meta.url)('protobufjs/ext/descriptor') as {
  FileDescriptorProto: Codec;
};

/**
 * The definitions with file descriptors that every reflection client reads. protobufjs leaves names of types relative, files without their
 * dependencies, entries of maps with names of its own and `optional` unmarked; clients on Google's library (grpcurl) refuse all that.
 */
export function withSoundDescriptors(definitions: PackageDefinition): PackageDefinition {
  const bytes = Object.values(definitions).flatMap((definition) =>
    'fileDescriptorProtos' in definition ? (definition.fileDescriptorProtos as Buffer[]) : [],
  );
  const files = new Map(
    bytes.map((file) => FileDescriptorProto.decode(file).toJSON()).map((file) => [file.name, file]),
  );
  const homes = new Map<string, string>();
  for (const file of files.values()) {
    for (const { name } of file.enumType ?? []) homes.set(`${file.package}.${name}`, file.name);
    for (const message of file.messageType ?? []) addNames(message, file.package, file.name, homes);
  }
  for (const file of files.values()) mendFile(file, homes);
  const sound = [...files.values()].map((file) =>
    Buffer.from(FileDescriptorProto.encode(FileDescriptorProto.fromObject(file)).finish()),
  );
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      'fileDescriptorProtos' in definition
        ? { ...definition, fileDescriptorProtos: sound }
        : serviceWith(definition, sound),
    ]),
  ) as PackageDefinition;
}

function serviceWith(definition: object, sound: Buffer[]): object {
  const types = (method: { requestType: object; responseType: object }) => ({
    ...method,
    requestType: { ...method.requestType, fileDescriptorProtos: sound },
    responseType: { ...method.responseType, fileDescriptorProtos: sound },
  });
  return Object.fromEntries(Object.entries(definition).map(([name, method]) => [name, types(method)]));
}

function addNames(message: MessageDescriptor, scope: string, file: string, homes: Map<string, string>): void {
  const name = `${scope}.${message.name}`;
  homes.set(name, file);
  for (const inner of message.enumType ?? []) homes.set(`${name}.${inner.name}`, file);
  for (const inner of message.nestedType ?? []) addNames(inner, name, file, homes);
}

function mendFile(file: FileDescriptor, homes: ReadonlyMap<string, string>): void {
  const used = new Set<string>();
  const absolute = (name: string, scope: string): string => {
    for (let at = scope; ; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
      const full = at === '' ? name.replace(/^\./, '') : `${at}.${name}`;
      const home = homes.get(full);
      if (home !== undefined) {
        if (home !== file.name) used.add(home);
        return `.${full}`;
      }
      if (at === '') throw new RangeError(`${name} in ${scope} is no type of the protos`);
    }
  };
  const mend = (message: MessageDescriptor, scope: string) => {
    const name = `${scope}.${message.name}`;
    for (const field of message.field ?? []) {
      const oneof = message.oneofDecl?.[field.oneofIndex ?? -1]?.name;
      if (oneof === `_${field.name}`) field.proto3Optional = true;
      if (field.typeName === undefined) continue;
      field.typeName = absolute(field.typeName, name);
      const entry = message.nestedType?.find(
        (inner) => inner.options?.mapEntry === true && field.typeName === `.${name}.${inner.name}`,
      );
      if (entry === undefined) continue;
      mend(entry, name);
      entry.name = `${field.name.replace(/(^|_)([a-z])/g, (_, _start, letter: string) => letter.toUpperCase())}Entry`;
      field.typeName = `.${name}.${entry.name}`;
    }
    for (const inner of message.nestedType ?? []) if (inner.options?.mapEntry !== true) mend(inner, name);
  };
  for (const message of file.messageType ?? []) mend(message, file.package);
  for (const { method } of file.service ?? [])
    for (const call of method) {
      call.inputType = absolute(call.inputType, file.package);
      call.outputType = absolute(call.outputType, file.package);
    }
  file.dependency = [...used];
}
