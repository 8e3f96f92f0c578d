/** What a page that follows a booking loads. */

import './elements/appointment-confirmation.js';
import './page.js';
