/** A certificate's serial number without leading zeros, in upper case: libraries write them differently. */
export function plainSerial(hex: string): string {
  return hex.toUpperCase().replace(/^0+(?=.)/, '');
}
