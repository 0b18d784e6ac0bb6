"""What stands behind a camera: network and USB cameras, recorded footage, drawn scenes."""
