/** npm run conformance: writes docs/conformance.md. */
import { conformancePage } from "./conformance-page";
import { writeWhole } from "./output";

process.chdir(new URL("..", import.meta.url).pathname);
writeWhole("docs/conformance.md", conformancePage());
