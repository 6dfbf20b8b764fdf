export { aboutCenter } from './about.ts';
