/** Whether two vim25 values are equal; an absent property and one that is `undefined` are the same, order of properties is none. */
export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return Array.from(keys).every((key) => sameValue(Reflect.get(left, key), Reflect.get(right, key)));
}
