"""What a process of the stack holds: plain asyncio objects, no shells."""
