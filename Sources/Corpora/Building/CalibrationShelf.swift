import Frames
import Host
import Synchronization

/// The constants and geometries that frames at hand need. Those of the last few runs are kept, so that memory does not grow with
/// the number of runs.
final class CalibrationShelf: Sendable {
  struct Key: Hashable, Sendable {
    let source: Int, run: Int, payload: String
  }

  private struct Kept<Value: Sendable>: Sendable {
    var values: [(key: Key, value: Value)] = []

    mutating func value(for key: Key, limit: Int, make: () throws(InputError) -> Value) throws(InputError) -> Value {
      if let known = values.first(where: { $0.key == key }) { return known.value }
      let value = try make()
      if values.count >= limit { values.removeFirst() }
      values.append((key, value))
      return value
    }
  }

  private static let limit = 4
  private let constants = Mutex(Kept<CalibrationConstants>())
  private let placements = Mutex(Kept<DetectorPlacement>())
  private let developments = Mutex(Kept<PanelwiseDevelopment?>())

  func constants(
    for payload: Payload, _ detector: any Detector.Type, of source: OpenedSource, _ key: Key, path: String
  ) throws(InputError) -> CalibrationConstants {
    let recipe = source.recipe, mask = try recipe.mask
    guard let folder = source.calibration else { return CalibrationConstants(commonMode: recipe.commonMode, mask: mask) }
    return try constants.withLock { (kept: inout Kept<CalibrationConstants>) throws(InputError) in
      try kept.value(for: key, limit: CalibrationShelf.limit) { () throws(InputError) in
        let shape = try detector.decode(payload, path: path).shape
        let constants = try folder.constants(
          for: payload.info.source, run: key.run, shape: shape, commonMode: recipe.commonMode, mask: mask)
        return try detector.adapted(constants, to: payload, path: path)
      }
    }
  }

  func placement(for payload: Payload, of source: OpenedSource, _ key: Key) throws(InputError) -> DetectorPlacement? {
    guard source.recipe.geometry == SourceRecipe.geometryOfCalibration, let folder = source.calibration else {
      return source.optics.placement
    }
    return try placements.withLock { (kept: inout Kept<DetectorPlacement>) throws(InputError) in
      try kept.value(for: key, limit: CalibrationShelf.limit) { () throws(InputError) in
        guard let geometry = try folder.geometry(for: payload.info.source, run: key.run) else {
          throw InputError(
            .missing, path: folder.path, place: payload.info.source, expected: "a geometry for run \(key.run)", found: "none")
        }
        return try DetectorPlacement(.psana(geometry), source.recipe, source.optics.image)
      }
    }
  }

  /// The short way to assembled pictures; `nil` where the recipe, the camera or its constants do not allow it.
  func panelwise(
    _ detector: any Detector.Type, _ constants: CalibrationConstants, _ placement: DetectorPlacement?, _ recipe: SourceRecipe, _ key: Key,
    path: String
  ) throws(InputError) -> PanelwiseDevelopment? {
    guard let detector = detector as? any PanelwiseDetector.Type, let projection = placement?.projection, recipe.view == .assembled,
      recipe.stack == 1, recipe.gapValue == nil
    else { return nil }
    return try developments.withLock { (kept: inout Kept<PanelwiseDevelopment?>) throws(InputError) in
      try kept.value(for: key, limit: CalibrationShelf.limit) { () throws(InputError) in
        try PanelwiseDevelopment(detector, constants, projection, path: path)
      }
    }
  }
}
