/** Images that come with the product, named by no datastore: `[] /vmimages/tools-isoimages/linux.iso`. */
export function isProductImage(path: string): boolean {
  return /^\[\] \/(vmimages|usr\/lib\/vmware\/isoimages)\/(?!.*\.\.)[\w./-]+\.(iso|flp)$/.test(path);
}
