/** What the page of a practice's messages that did not arrive loads. */

import './elements/practice-messages.js';
import './page.js';
