const stub: any = () => null;
export default stub;
export const editor: any = {};
export const languages: any = {};
export const loader: any = { config() {} };
export const Editor = stub;
