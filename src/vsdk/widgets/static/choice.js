/** What the page loads on which someone says whether they want messages. */

import './elements/message-choice.js';
import './page.js';
