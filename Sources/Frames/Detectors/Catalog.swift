/// Every detector: one line per file of this folder. The first that recognises a payload decodes it, so the particular
/// (a time tool) stand before the general (an Opal camera) and plain pictures come last.
public enum DetectorCatalog {
  public static let all: [any Detector.Type] = [
    CSPAD.self, Jungfrau.self, Epix100a.self, Epix10k.self, PNCCD.self, Eiger.self, Pilatus.self, Rayonix.self, XTCAV.self, TimeTool.self,
    Opal1000.self, LineCamera.self, Picture.self,
  ]

  /// The detector that can decode such a payload, or `nil`.
  public static func detector(for info: PayloadInfo) -> (any Detector.Type)? { all.first { $0.recognizes(info) } }

  /// The detector of that name, or `nil`.
  public static func detector(named name: String) -> (any Detector.Type)? { all.first { $0.name == name } }
}
