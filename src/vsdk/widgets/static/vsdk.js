/** The door to vsdk: importing this module defines the custom elements. */

import './elements/video-visit.js';
import './elements/practice-queue.js';
import './elements/practice-messages.js';
import './elements/visit-session.js';
