"""What people see: pages, custom elements, and the words of messages."""
