import CDNNL

/// The oneDNN library that runs.
public enum DNNL {
  /// Such as `oneDNN 2.6.3 (52b5f107dd9c…)`; without the source revision where the build does not know it.
  public static var version: String {
    guard let version = unsafe dnnl_version() else { return "oneDNN" }
    let (major, minor, patch) = unsafe (version.pointee.major, version.pointee.minor, version.pointee.patch)
    let revision = unsafe version.pointee.hash.map { unsafe String(cString: $0) }
    let isKnown = revision != nil && revision != "N/A"
    return "oneDNN \(major).\(minor).\(patch)" + (isKnown ? " (\(revision ?? ""))" : "")
  }
}
