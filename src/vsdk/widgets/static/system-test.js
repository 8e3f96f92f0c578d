/** What the page of the system test loads. */

import './elements/device-check.js';
import './page.js';
