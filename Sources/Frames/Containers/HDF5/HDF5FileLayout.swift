import Foundation

/// Where known writers put their images in an HDF5 file, and how to tell who wrote it.
public struct HDF5FileLayout: Hashable, Sendable {
  /// Such as `psana-translate`.
  public var name: String
  /// Patterns of dataset paths, looked for in this order. A component of the pattern may have `*` in it; all datasets that differ
  /// from the first match only where the pattern has text beside the star (`CalibCycle:*`, `data_*`) are read one after the other.
  public var images: [String]
  /// One more path that the writer's files have and others do not; `nil` where the images tell enough. Same patterns.
  public var sign: String?

  /// In the order in which they are tried.
  ///
  /// Sources: davidslac/xtcav-mlearn-doc (ImgMLearn), psmlearn (accelerator and virus sets), lcls-psana/Translator,
  /// psocake peakFinderClientSZ, cheetah saveCXI and saveFrame, om, lclstreamer, NeXus NXdetector and NXmx, CXI 1.6.
  public static let all: [HDF5FileLayout] = [
    HDF5FileLayout(name: "amo86815 ImgMLearn", images: ["/xtcavimg"]),
    HDF5FileLayout(
      name: "psana-translate",
      images: [
        "/Configure:*/Run:*/CalibCycle:*/CsPad::ElementV*/*/data", "/Configure:*/Run:*/CalibCycle:*/CsPad2x2::ElementV*/*/data",
        "/Configure:*/Run:*/CalibCycle:*/Camera::FrameV*/*/image", "/Configure:*/Run:*/CalibCycle:*/*/*/image",
        "/Configure:*/Run:*/CalibCycle:*/*/*/frame", "/Configure:*/Run:*/CalibCycle:*/*/*/data",
      ]),
    HDF5FileLayout(name: "Cheetah CXI", images: ["/entry_1/data_1/data", "/entry_1/instrument_1/detector_1/data"], sign: "/cheetah/*"),
    HDF5FileLayout(name: "psocake CXI", images: ["/entry_1/data_1/data", "/entry_1/instrument_1/detector_1/data"], sign: "/LCLS/*"),
    HDF5FileLayout(name: "CXI", images: ["/entry_1/data_1/data", "/entry_1/instrument_1/detector_1/data", "/entry_1/image_1/data"]),
    HDF5FileLayout(name: "Cheetah", images: ["/data/rawdata0", "/data/rawdata", "/data/data", "/data/assembleddata0"], sign: "/processing/*"),
    HDF5FileLayout(name: "lclstreamer", images: ["/data/data"], sign: "/data/timestamp"),
    HDF5FileLayout(name: "OM", images: ["/data/data"], sign: "/data/nframes"),
    HDF5FileLayout(name: "Cheetah", images: ["/data/rawdata0", "/data/rawdata", "/data/assembleddata0", "/data/data"]),
    HDF5FileLayout(name: "NeXus", images: ["/entry/data/data", "/entry/instrument/detector/data", "/entry/data/data_*"]),
    HDF5FileLayout(name: "psmlearn", images: ["/yagImg", "/vccImg", "/adu"]),
    HDF5FileLayout(name: "images", images: ["/images"]),
  ]

  /// The first layout that fits, and the datasets that hold its images, in the order in which they are read. `stacks` are the
  /// paths of candidates for images, `paths` all datasets.
  static func recognized(stacks: [String], paths: [String]) -> (name: String, images: [String])? {
    for layout in all {
      if let sign = layout.sign, !paths.contains(where: { matches($0, sign, isPrefix: true) }) { continue }
      for pattern in layout.images {
        if let first = stacks.first(where: { matches($0, pattern) }) {
          return (layout.name, stacks.filter { matches($0, joined(pattern, with: first)) })
        }
      }
    }
    return nil
  }

  /// The pattern with each component that is a star alone replaced by what `path` has there.
  private static func joined(_ pattern: String, with path: String) -> String {
    zip(pattern.split(separator: "/"), path.split(separator: "/")).map { "/" + ($0 == "*" ? $1 : $0) }.joined()
  }

  /// Whether a path fits a pattern component by component; a prefix may be shorter than the path.
  static func matches(_ path: String, _ pattern: String, isPrefix: Bool = false) -> Bool {
    let names = path.split(separator: "/"), parts = pattern.split(separator: "/")
    guard isPrefix ? names.count >= parts.count : names.count == parts.count else { return false }
    return zip(names, parts).allSatisfy { name, part in
      guard let star = part.firstIndex(of: "*") else { return name == part }
      let head = part[..<star], tail = part[part.index(after: star)...]
      return name.count >= head.count + tail.count && name.hasPrefix(head) && name.hasSuffix(tail)
    }
  }
}
