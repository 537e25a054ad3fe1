// The service, messages and enums of `ordermesh.proto`, loaded for grpc-js. Used in this folder.

import { fileURLToPath } from 'node:url';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import {
  type EnumTypeDefinition,
  loadSync,
  type MessageTypeDefinition,
  type PackageDefinition,
} from '@grpc/proto-loader';

/** The folder of `ordermesh.proto` and of what it imports. */
export const protoFolder = fileURLToPath(new URL('../../contracts/', import.meta.url));

/** Everything in `ordermesh.proto` and `google/rpc/error_details.proto`, by full name. */
export const definitions: PackageDefinition = loadSync(['ordermesh.proto', 'google/rpc/error_details.proto'], {
  includeDirs: [protoFolder],
});

export const SERVICE = 'ordermesh.v1.Orders';

export type OrdersMethod = 'Submit' | 'SubmitStream' | 'Get';

/** The service as the proto describes it. */
export const ordersService = definitions[SERVICE] as unknown as ServiceDefinition &
  Record<OrdersMethod, MethodDefinition<object, object>>;

/** @throws RangeError when the protos have no message of this name. */
export function messageType(name: string): MessageTypeDefinition<object, object> {
  const definition = definitions[name];
  if (definition?.format !== 'Protocol Buffer 3 DescriptorProto') throw new RangeError(`${name} is no message`);
  return definition as MessageTypeDefinition<object, object>;
}

interface EnumDescriptor {
  value: { name: string; number: number }[];
}

/**
 * The values of an enum by number, as the JSON schema spells them: `CHANNEL_DRIVE_THRU` is `drive-thru`. Unspecified, number 0, is
 * `undefined`.
 * @throws RangeError when the protos have no enum of this name.
 */
export function enumWords(name: string, prefix: string): (string | undefined)[] {
  const definition = definitions[name];
  if (definition?.format !== 'Protocol Buffer 3 EnumDescriptorProto') throw new RangeError(`${name} is no enum`);
  const words: (string | undefined)[] = [];
  for (const value of ((definition as EnumTypeDefinition).type as EnumDescriptor).value)
    words[value.number] =
      value.number === 0 ? undefined : value.name.slice(prefix.length).toLowerCase().replaceAll('_', '-');
  return words;
}
