// Structures of com.vmware.vapi.std that operations answer.
import { listOf, struct, text } from './shape.ts';

export const localizableMessage = struct('com.vmware.vapi.std.localizable_message', {
  id: text,
  default_message: text,
  args: listOf(text),
});
