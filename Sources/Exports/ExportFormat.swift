/// How a corpus is handed on. Each format is a folder of its own with card, Croissant file and checksums.
public enum ExportFormat: String, Codable, Sendable, CaseIterable {
  /// tar shards of NPY data, 8-bit previews and JSON, for `webdataset` and `datasets`.
  case webdataset
  /// 8-bit pictures in a folder for each split and class, for `torchvision` and `datasets`.
  case imagefolder
  /// HDF5 files that are CXI and NeXus at once.
  case nexus
}
