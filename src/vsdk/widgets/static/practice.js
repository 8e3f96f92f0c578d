/** What the page of a practice's list loads. */

import './vsdk.js';
import './page.js';
