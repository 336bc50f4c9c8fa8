"""What a monitor keeps of its wearers: captured signal files and the layout of its journal."""
