"""What rules do. Each action is one function with its inputs; `automations.apps` opens the rooms that declare them."""
