"""The trained models: for each the network (.onnx), its manifest (.json) and its model card (.md)."""
