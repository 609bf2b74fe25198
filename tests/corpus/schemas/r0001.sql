BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('r0001');
CREATE TABLE attempt (
	run_id INTEGER NOT NULL, 
	attempt_no SMALLINT NOT NULL, 
	executor VARCHAR(16) NOT NULL, 
	job VARCHAR(200), 
	submitted_at DATETIME NOT NULL, 
	host VARCHAR(128), 
	started_at DATETIME, 
	ended_at DATETIME, 
	exit_code INTEGER, 
	exit_signal VARCHAR(16), 
	why VARCHAR(16), 
	wall_s DOUBLE, 
	cpu_s DOUBLE, 
	casa_wall_s DOUBLE, 
	peak_tree_mb INTEGER, 
	peak_process_mb INTEGER, 
	oom_kills INTEGER, 
	journal_offset BIGINT NOT NULL, 
	CONSTRAINT pk_attempt PRIMARY KEY (run_id, attempt_no), 
	CONSTRAINT fk_attempt_run_id FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "attempt" VALUES(1,1,'local','recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20761:3794109','2026-11-20 18:26:44.694500','recorded.invalid','2026-11-20 18:26:45.088807','2026-11-20 18:26:46.522530',0,NULL,'exit',1.416,0.268,1.25,33,33,0,2431);
INSERT INTO "attempt" VALUES(2,1,'local','recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20763:3794114','2026-11-20 18:26:44.735844','recorded.invalid','2026-11-20 18:26:45.159361','2026-11-20 18:26:46.525728',0,NULL,'exit',1.331,0.262,0.0,33,33,0,858);
INSERT INTO "attempt" VALUES(3,1,'local','recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20833:3794346','2026-11-20 18:26:47.056950','recorded.invalid','2026-11-20 18:26:47.421431','2026-11-20 18:26:48.780933',0,NULL,'exit',1.335,0.265,0.0,33,33,0,1096);
INSERT INTO "attempt" VALUES(4,1,'local','recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20834:3794353','2026-11-20 18:26:47.108378','recorded.invalid','2026-11-20 18:26:47.500156','2026-11-20 18:26:48.871316',NULL,'SIGKILL','signal',1.349,0.233,0.0,33,33,0,1457);
INSERT INTO "attempt" VALUES(4,2,'local','recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20869:3794534','2026-11-20 18:26:48.932706','recorded.invalid','2026-11-20 18:26:49.273900','2026-11-20 18:26:50.884736',0,NULL,'exit',1.598,0.26,0.0,33,33,0,1809);
INSERT INTO "attempt" VALUES(6,1,'local','recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20928:3794756','2026-11-20 18:26:51.189037',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1457);
CREATE TABLE build (
	name VARCHAR(64) NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	pipeline VARCHAR(64), 
	definition TEXT NOT NULL, 
	seen_at DATETIME NOT NULL, 
	gone_at DATETIME, 
	CONSTRAINT pk_build PRIMARY KEY (name)
);
CREATE TABLE category (
	name VARCHAR(64) NOT NULL, 
	title VARCHAR(200), 
	kind VARCHAR(16) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	definition TEXT NOT NULL, 
	declared_at DATETIME NOT NULL, 
	CONSTRAINT pk_category PRIMARY KEY (name)
);
INSERT INTO "category" VALUES('demo','A demonstration','selection','0','{"kind": "selection", "title": "A demonstration"}','2026-11-20 18:26:43.938311');
CREATE TABLE category_member (
	category VARCHAR(64) NOT NULL, 
	dataset_id INTEGER NOT NULL, 
	added_at DATETIME NOT NULL, 
	CONSTRAINT pk_category_member PRIMARY KEY (category, dataset_id), 
	CONSTRAINT fk_category_member_category FOREIGN KEY(category) REFERENCES category (name), 
	CONSTRAINT fk_category_member_dataset_id FOREIGN KEY(dataset_id) REFERENCES dataset (id)
);
CREATE TABLE classification (
	id INTEGER NOT NULL, 
	failure_id INTEGER NOT NULL, 
	error_class VARCHAR(64) NOT NULL, 
	signature VARCHAR(40), 
	author VARCHAR(128) NOT NULL, 
	reason VARCHAR(500), 
	symptoms TEXT NOT NULL, 
	judged_at DATETIME NOT NULL, 
	CONSTRAINT pk_classification PRIMARY KEY (id), 
	CONSTRAINT fk_classification_failure_id FOREIGN KEY(failure_id) REFERENCES failure (id)
);
INSERT INTO "classification" VALUES(1,1,'archive-file-damaged','sv1:317cbfe67b9e','archive-file-damaged@1',NULL,'[]','2026-11-20 18:26:47.008596');
INSERT INTO "classification" VALUES(2,2,'nothing-to-restore','sv1:ef3385d2047f','nothing-to-restore@1',NULL,'[]','2026-11-20 18:26:48.830778');
INSERT INTO "classification" VALUES(3,3,'killed','sv1:73ff41551bea','killed@1',NULL,'[]','2026-11-20 18:26:48.918519');
CREATE TABLE dataset (
	id INTEGER NOT NULL, 
	holding VARCHAR(32) NOT NULL, 
	dataset_key VARCHAR(200) NOT NULL, 
	title VARCHAR(500), 
	n_bytes BIGINT, 
	release_at DATETIME, 
	modified_at DATETIME, 
	synced_at DATETIME NOT NULL, 
	gone_at DATETIME, 
	facts TEXT NOT NULL, 
	CONSTRAINT pk_dataset PRIMARY KEY (id), 
	CONSTRAINT uq_dataset_holding UNIQUE (holding, dataset_key), 
	CONSTRAINT fk_dataset_holding FOREIGN KEY(holding) REFERENCES holding (name)
);
INSERT INTO "dataset" VALUES(1,'alma','uid://A001/X1/X1','2018.1.00001.S',NULL,NULL,NULL,'2026-11-20 18:26:43.828337',NULL,'{"array": "12m", "bands": [3, 6], "cycle": 6, "frequency_max_ghz": 100.0, "frequency_max_hz": 100000000000.0, "frequency_min_ghz": 84.5, "frequency_min_hz": 84500000000.0, "is_mosaic": true, "mous": "uid://A001/X1/X1", "project": "2018.1.00001.S", "targets": ["NGC_1"]}');
INSERT INTO "dataset" VALUES(2,'alma','uid://A001/X1/X2',NULL,NULL,NULL,NULL,'2026-01-02 03:04:05.000000',NULL,'{"act": "fail", "act_at": "fetch"}');
INSERT INTO "dataset" VALUES(3,'alma','uid://A001/X1/X3',NULL,NULL,NULL,NULL,'2026-01-02 03:04:05.000000',NULL,'{"act": "refuse", "act_at": "choose"}');
INSERT INTO "dataset" VALUES(4,'alma','uid://A001/X1/X4',NULL,NULL,NULL,NULL,'2026-01-02 03:04:05.000000',NULL,'{"act": "kill", "act_at": "image"}');
INSERT INTO "dataset" VALUES(5,'alma','uid://A001/X1/X5',NULL,NULL,NULL,NULL,'2026-01-02 03:04:05.000000',NULL,'{}');
INSERT INTO "dataset" VALUES(6,'alma','uid://A001/X1/X6',NULL,NULL,NULL,NULL,'2026-01-02 03:04:05.000000',NULL,'{"act": "hang", "act_at": "image"}');
INSERT INTO "dataset" VALUES(7,'alma','uid://A001/X1/X7',NULL,NULL,NULL,NULL,'2026-01-02 03:04:05.000000',NULL,'{}');
CREATE TABLE dataset_alma (
	dataset_id INTEGER NOT NULL, 
	mous VARCHAR(64) NOT NULL, 
	project VARCHAR(32), 
	cycle SMALLINT, 
	bands VARCHAR(32), 
	array_kind VARCHAR(8), 
	is_mosaic BOOLEAN, 
	pol_states VARCHAR(64), 
	n_ebs SMALLINT, 
	qa2_passed BOOLEAN, 
	data_rights VARCHAR(16), 
	frequency_min_hz DOUBLE, 
	frequency_max_hz DOUBLE, 
	resolution_arcsec DOUBLE, 
	targets VARCHAR(2000), 
	CONSTRAINT pk_dataset_alma PRIMARY KEY (dataset_id), 
	CONSTRAINT fk_dataset_alma_dataset_id FOREIGN KEY(dataset_id) REFERENCES dataset (id), 
	CONSTRAINT ck_dataset_alma_is_mosaic CHECK (is_mosaic IN (0, 1)), 
	CONSTRAINT ck_dataset_alma_qa2_passed CHECK (qa2_passed IN (0, 1))
);
INSERT INTO "dataset_alma" VALUES(1,'uid://A001/X1/X1','2018.1.00001.S',6,'3 6','12m',1,NULL,NULL,NULL,NULL,84500000000.0,100000000000.0,NULL,'NGC_1');
CREATE TABLE decision (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	attempt_no SMALLINT NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	reason VARCHAR(500), 
	author VARCHAR(64) NOT NULL, 
	decided_at DATETIME NOT NULL, 
	CONSTRAINT pk_decision PRIMARY KEY (id), 
	CONSTRAINT uq_decision_run_id UNIQUE (run_id, attempt_no, kind), 
	CONSTRAINT fk_decision_run_id FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "decision" VALUES(1,5,0,'cancel','no need','somebody','2026-11-20 18:26:44.625857');
INSERT INTO "decision" VALUES(2,1,1,'end','imaged','controller','2026-11-20 18:26:46.935078');
INSERT INTO "decision" VALUES(3,2,1,'end','archive-file-damaged: nothing to try of itself','controller','2026-11-20 18:26:47.008596');
INSERT INTO "decision" VALUES(4,3,1,'end','nothing-to-restore: nothing to try of itself','controller','2026-11-20 18:26:48.830778');
INSERT INTO "decision" VALUES(5,4,1,'retry','killed: to be tried again','controller','2026-11-20 18:26:48.918519');
INSERT INTO "decision" VALUES(6,4,2,'end','imaged','controller','2026-11-20 18:26:50.963372');
CREATE TABLE error_class (
	name VARCHAR(64) NOT NULL, 
	family VARCHAR(32) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	fault VARCHAR(32), 
	remedy VARCHAR(64), 
	seen_at DATETIME NOT NULL, 
	CONSTRAINT pk_error_class PRIMARY KEY (name)
);
INSERT INTO "error_class" VALUES('all-flagged','calibration','All data of the target are flagged','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('archive-file-damaged','fetch','The archive''s file is damaged','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('archive-file-hostile','fetch','An archive file would write outside its directory','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('archive-file-missing','fetch','The archive lists a file that it does not have','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('archive-foreign','fetch','The archive directory is not one of ours','site','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('archive-unavailable','fetch','The archive does not answer','archive','retry','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('asdm-not-delivered','calibration','Execution blocks have scripts but no raw data','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('bad-parameter','imaging','A task was called with a wrong parameter','recipe','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('beam-missing','quality','An image has no beam','casa','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('blank-image','quality','An image is blank','casa','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('calapply-unreadable','calibration','The list of applycal calls cannot be read','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('caltable-mismatch','calibration','A calibration table does not fit the data','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('cancelled','operations','Cancelled','nobody','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('casa-build-missing','environment','The CASA that the delivery needs is not registered','site','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('casa-for-jobs-missing','environment','No build looks into what an old CASA restores','site','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('casa-start','environment','CASA does not start','site','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('casa-too-old','environment','This CASA is too old for the recipe','site','other build','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('casa-version-not-stated','data','The delivery does not say which CASA calibrated it','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('channels-out-of-range','imaging','Channels that the spectral window does not have','us','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('clean-failed','imaging','The pipeline could not clean an image','casa','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('column-missing','data','A column that was asked for is not in the measurement set','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('cont-dat-unreadable','imaging','The continuum ranges (cont.dat) cannot be read','us','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('continuum-unknown','imaging','No continuum ranges are known for a target','us','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('core-dump','imaging','CASA crashed','casa','other build','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('corrupt-asdm','data','The raw data (ASDM) are broken or incomplete','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('corrupt-table','data','A measurement set is broken','site','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('delivery-ambiguous','data','What was fetched holds several member OUSs','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('delivery-empty','data','There is no delivery in what was fetched','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('delivery-unreadable','infrastructure','The files of a delivery cannot be read','site','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('disk-full','resources','A disk is full','site','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('files-vanished','output','Files of the run have vanished','site','retry','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('fix-failed','operations','A fix of ours did not work','us','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('flag-version-missing','calibration','A flag version is missing','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('hang','resources','CASA hung','casa','retry','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('input-missing','data','A task was given a path that does not exist','us','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('intents-unknown','data','The data do not say what was observed for what','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('internal','operations','A bug of the service','us','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('killed','infrastructure','Killed from outside','site','retry','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('left-over','output','Left-overs of an earlier try are in the way','us','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('lost','infrastructure','The run vanished','site','retry','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('manifest-missing','data','The pipeline manifest is missing','delivery','other build','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('mask-missing','imaging','The clean mask does not exist','us','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('memory','resources','Out of memory','site','more memory','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('missing-caltable','calibration','A calibration table is missing','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('moving-target','data','The target moves','recipe','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('no-common-frequency','imaging','The execution blocks share no frequency range','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('no-recipe','data','No recipe covers this kind of data','nobody','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('no-science-spw','imaging','No spectral window suits the step','recipe','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('no-solutions','calibration','A calibration step found no usable data','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('no-visibilities','imaging','No visibilities to image','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('node-failed','infrastructure','The machine failed','site','retry','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('not-calibrated','calibration','The restored data are not calibrated','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('nothing-listed','fetch','The archive lists no file for the dataset','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('nothing-to-restore','data','Nothing to restore','nobody','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('output-flood','resources','A CASA process printed without end','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('pipeline-missing','environment','The ALMA pipeline is needed, and this CASA has none','site','other build','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('pipeline-not-initialised','operations','The pipeline was used before it was started','us','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('plan-incomplete','output','Planned images are missing','us','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('preempted','infrastructure','The scheduler took the node away','nobody','retry','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('product-damaged','output','An image file is damaged','site','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('proprietary','data','The data are proprietary','nobody','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('recipe-unusable','operations','The recipe cannot be carried out','recipe','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('restored-in-part','calibration','Some execution blocks could not be restored','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('rows-missing','data','A measurement set has fewer rows than its raw data promise','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('run-directory-damaged','infrastructure','The run directory is damaged','site','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('script-damaged','data','A delivered script is no Python','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('script-missing','data','The delivery has no scriptForPI','archive','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('script-of-other-casa','environment','The delivered script was written for another CASA','site','other build','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('script-stopped','calibration','The restore ended without calibrated data','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('session-mismatch','calibration','Sessions of manifest and restore script disagree','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('spw-uncalibrated','calibration','A spectral window was not calibrated','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('too-few-channels','imaging','A spectral window too narrow for a cube','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('too-large','resources','The images would be too large','recipe','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('tsys-missing','calibration','A science spectral window has no Tsys measurement','delivery','none','2026-11-20 18:26:44.379558');
INSERT INTO "error_class" VALUES('wall-time','resources','The time limit was reached','site','more time','2026-11-20 18:26:44.379558');
CREATE TABLE event (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	attempt_no SMALLINT NOT NULL, 
	seq INTEGER NOT NULL, 
	happened_at DATETIME NOT NULL, 
	event VARCHAR(64) NOT NULL, 
	data TEXT NOT NULL, 
	CONSTRAINT pk_event PRIMARY KEY (id), 
	CONSTRAINT uq_event_run_id UNIQUE (run_id, attempt_no, seq), 
	CONSTRAINT fk_event_run_id FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "event" VALUES(1,1,0,1,'2026-01-02 03:04:05.000000','run.queued','{"dataset": "uid://A001/X1/X1", "run": "r1"}');
INSERT INTO "event" VALUES(2,2,0,1,'2026-01-02 03:04:05.000000','run.queued','{"dataset": "uid://A001/X1/X2", "run": "r2"}');
INSERT INTO "event" VALUES(3,3,0,1,'2026-01-02 03:04:05.000000','run.queued','{"dataset": "uid://A001/X1/X3", "run": "r3"}');
INSERT INTO "event" VALUES(4,4,0,1,'2026-01-02 03:04:05.000000','run.queued','{"dataset": "uid://A001/X1/X4", "run": "r4"}');
INSERT INTO "event" VALUES(5,5,0,1,'2026-01-02 03:04:05.000000','run.queued','{"dataset": "uid://A001/X1/X5", "run": "r5"}');
INSERT INTO "event" VALUES(6,5,0,2,'2026-11-20 18:26:44.625857','run.cancelled','{"author": "somebody", "reason": "no need"}');
INSERT INTO "event" VALUES(7,1,0,2,'2026-11-20 18:26:44.694500','attempt.submitting','{"executor": "local", "number": 1}');
INSERT INTO "event" VALUES(8,1,0,3,'2026-11-20 18:26:44.733077','attempt.submitted','{"job": "recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20761:3794109", "number": 1}');
INSERT INTO "event" VALUES(9,2,0,2,'2026-11-20 18:26:44.735844','attempt.submitting','{"executor": "local", "number": 1}');
INSERT INTO "event" VALUES(10,2,0,3,'2026-11-20 18:26:44.774287','attempt.submitted','{"job": "recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20763:3794114", "number": 1}');
INSERT INTO "event" VALUES(11,1,1,1,'2026-11-20 18:26:46.188608','attempt.started','{"dataset": "uid://A001/X1/X1", "run": "r1"}');
INSERT INTO "event" VALUES(12,1,1,2,'2026-11-20 18:26:46.206100','something.new','{"nobody": "knows this event"}');
INSERT INTO "event" VALUES(13,1,1,3,'2026-11-20 18:26:46.210933','delivery.read','{"notes": ["raw-missing: uid___A002_X1_X1"]}');
INSERT INTO "event" VALUES(14,1,1,4,'2026-11-20 18:26:46.218080','casa.chosen','{"because": ["4.7.2: README, line 1"], "build": "casa-test", "doubtful": true, "wanted": "4.7.2"}');
INSERT INTO "event" VALUES(15,1,1,5,'2026-11-20 18:26:46.224065','stage.started','{"stage": "fetch"}');
INSERT INTO "event" VALUES(16,1,1,6,'2026-11-20 18:26:46.231081','stage.proven','{"stage": "fetch"}');
INSERT INTO "event" VALUES(17,1,1,7,'2026-11-20 18:26:46.234119','stage.started','{"stage": "choose"}');
INSERT INTO "event" VALUES(18,1,1,8,'2026-11-20 18:26:46.250109','stage.proven','{"stage": "choose"}');
INSERT INTO "event" VALUES(19,1,1,9,'2026-11-20 18:26:46.254470','stage.started','{"stage": "restore"}');
INSERT INTO "event" VALUES(20,1,1,10,'2026-11-20 18:26:46.269136','casa.started','{"build": "casa-test", "pid": 20821}');
INSERT INTO "event" VALUES(21,1,1,11,'2026-11-20 18:26:46.273034','casa.exited','{"wall_s": 1.25}');
INSERT INTO "event" VALUES(22,1,1,12,'2026-11-20 18:26:46.298102','stage.proven','{"stage": "restore"}');
INSERT INTO "event" VALUES(23,1,1,13,'2026-11-20 18:26:46.303572','stage.started','{"stage": "image"}');
INSERT INTO "event" VALUES(24,1,1,14,'2026-11-20 18:26:46.326073','stage.proven','{"stage": "image"}');
INSERT INTO "event" VALUES(25,1,1,15,'2026-11-20 18:26:46.330229','stage.started','{"stage": "derive"}');
INSERT INTO "event" VALUES(26,1,1,16,'2026-11-20 18:26:46.342070','stage.proven','{"stage": "derive"}');
INSERT INTO "event" VALUES(27,1,1,17,'2026-11-20 18:26:46.346211','stage.started','{"stage": "assess"}');
INSERT INTO "event" VALUES(28,1,1,18,'2026-11-20 18:26:46.360071','stage.proven','{"stage": "assess"}');
INSERT INTO "event" VALUES(29,1,1,19,'2026-11-20 18:26:46.370131','attempt.ended','{"finished": true}');
INSERT INTO "event" VALUES(30,2,1,1,'2026-11-20 18:26:46.359885','attempt.started','{"dataset": "uid://A001/X1/X2", "run": "r2"}');
INSERT INTO "event" VALUES(31,2,1,2,'2026-11-20 18:26:46.366067','something.new','{"nobody": "knows this event"}');
INSERT INTO "event" VALUES(32,2,1,3,'2026-11-20 18:26:46.366861','delivery.read','{"notes": ["raw-missing: uid___A002_X1_X1"]}');
INSERT INTO "event" VALUES(33,2,1,4,'2026-11-20 18:26:46.367078','casa.chosen','{"because": ["4.7.2: README, line 1"], "build": "casa-test", "doubtful": true, "wanted": "4.7.2"}');
INSERT INTO "event" VALUES(34,2,1,5,'2026-11-20 18:26:46.370241','stage.started','{"stage": "fetch"}');
INSERT INTO "event" VALUES(35,2,1,6,'2026-11-20 18:26:46.394070','attempt.ended','{"finished": false}');
INSERT INTO "event" VALUES(36,1,0,4,'2026-11-20 18:26:46.935078','attempt.judged','{"code": null, "decision": {"kind": "end", "reason": "imaged"}, "evidence": [], "exit": {"attempt": 1, "boot_id": "ba7c2907-a543-489a-9014-9e553aee571c", "casa_wall_s": 1.25, "cpu_s": 0.268, "ended_at": "2026-11-20T18:26:46.522530Z", "exit_code": 0, "host": "recorded.invalid", "oom_kills": 0, "peak_process_mb": 33, "peak_tree_mb": 33, "pid": 20768, "signal": null, "started_at": "2026-11-20T18:26:45.088807Z", "wall_s": 1.416, "why": "exit"}, "journal_offset": 2431, "judgement": {"caveats": ["restored-without-pipeline"], "decisive": null, "error_class": null, "result": "imaged", "rule": null, "signature": null, "symptoms": []}, "message": null, "number": 1, "stage": "assess"}');
INSERT INTO "event" VALUES(37,2,0,4,'2026-11-20 18:26:47.008596','attempt.judged','{"code": "archive-file-damaged", "decision": {"kind": "end", "reason": "archive-file-damaged: nothing to try of itself"}, "evidence": [{"attempt": 1, "excerpt": "a tar is cut", "kind": "bundle", "n_bytes": 727, "path": "evidence/attempt-1.json", "sha256": "485392ba2b8c1bd42be46ef5c981e3f34c0bf5fa2ac035ad5721c800ceffc5c5"}], "exit": {"attempt": 1, "boot_id": "ba7c2907-a543-489a-9014-9e553aee571c", "casa_wall_s": 0.0, "cpu_s": 0.262, "ended_at": "2026-11-20T18:26:46.525728Z", "exit_code": 0, "host": "recorded.invalid", "oom_kills": 0, "peak_process_mb": 33, "peak_tree_mb": 33, "pid": 20769, "signal": null, "started_at": "2026-11-20T18:26:45.159361Z", "wall_s": 1.331, "why": "exit"}, "journal_offset": 858, "judgement": {"caveats": ["restored-without-pipeline"], "decisive": "a tar is cut", "error_class": "archive-file-damaged", "result": "failed", "rule": "archive-file-damaged@1", "signature": "sv1:317cbfe67b9e", "symptoms": []}, "message": "a tar is cut", "number": 1, "stage": "fetch"}');
INSERT INTO "event" VALUES(38,3,0,2,'2026-11-20 18:26:47.056950','attempt.submitting','{"executor": "local", "number": 1}');
INSERT INTO "event" VALUES(39,3,0,3,'2026-11-20 18:26:47.098346','attempt.submitted','{"job": "recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20833:3794346", "number": 1}');
INSERT INTO "event" VALUES(40,4,0,2,'2026-11-20 18:26:47.108378','attempt.submitting','{"executor": "local", "number": 1}');
INSERT INTO "event" VALUES(41,4,0,3,'2026-11-20 18:26:47.162808','attempt.submitted','{"job": "recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20834:3794353", "number": 1}');
INSERT INTO "event" VALUES(42,3,1,1,'2026-11-20 18:26:48.423299','attempt.started','{"dataset": "uid://A001/X1/X3", "run": "r3"}');
INSERT INTO "event" VALUES(43,3,1,2,'2026-11-20 18:26:48.423677','something.new','{"nobody": "knows this event"}');
INSERT INTO "event" VALUES(44,3,1,3,'2026-11-20 18:26:48.442086','delivery.read','{"notes": ["raw-missing: uid___A002_X1_X1"]}');
INSERT INTO "event" VALUES(45,3,1,4,'2026-11-20 18:26:48.450085','casa.chosen','{"because": ["4.7.2: README, line 1"], "build": "casa-test", "doubtful": true, "wanted": "4.7.2"}');
INSERT INTO "event" VALUES(46,3,1,5,'2026-11-20 18:26:48.454143','stage.started','{"stage": "fetch"}');
INSERT INTO "event" VALUES(47,3,1,6,'2026-11-20 18:26:48.474905','stage.proven','{"stage": "fetch"}');
INSERT INTO "event" VALUES(48,3,1,7,'2026-11-20 18:26:48.475816','stage.started','{"stage": "choose"}');
INSERT INTO "event" VALUES(49,3,1,8,'2026-11-20 18:26:48.498181','attempt.ended','{"finished": false}');
INSERT INTO "event" VALUES(50,4,1,1,'2026-11-20 18:26:48.481842','attempt.started','{"dataset": "uid://A001/X1/X4", "run": "r4"}');
INSERT INTO "event" VALUES(51,4,1,2,'2026-11-20 18:26:48.498087','something.new','{"nobody": "knows this event"}');
INSERT INTO "event" VALUES(52,4,1,3,'2026-11-20 18:26:48.502086','delivery.read','{"notes": ["raw-missing: uid___A002_X1_X1"]}');
INSERT INTO "event" VALUES(53,4,1,4,'2026-11-20 18:26:48.502308','casa.chosen','{"because": ["4.7.2: README, line 1"], "build": "casa-test", "doubtful": true, "wanted": "4.7.2"}');
INSERT INTO "event" VALUES(54,4,1,5,'2026-11-20 18:26:48.502516','stage.started','{"stage": "fetch"}');
INSERT INTO "event" VALUES(55,4,1,6,'2026-11-20 18:26:48.526112','stage.proven','{"stage": "fetch"}');
INSERT INTO "event" VALUES(56,4,1,7,'2026-11-20 18:26:48.541385','stage.started','{"stage": "choose"}');
INSERT INTO "event" VALUES(57,4,1,8,'2026-11-20 18:26:48.554104','stage.proven','{"stage": "choose"}');
INSERT INTO "event" VALUES(58,4,1,9,'2026-11-20 18:26:48.563090','stage.started','{"stage": "restore"}');
INSERT INTO "event" VALUES(59,4,1,10,'2026-11-20 18:26:48.590109','stage.proven','{"stage": "restore"}');
INSERT INTO "event" VALUES(60,4,1,11,'2026-11-20 18:26:48.602243','stage.started','{"stage": "image"}');
INSERT INTO "event" VALUES(61,3,0,4,'2026-11-20 18:26:48.830778','attempt.judged','{"code": "nothing-to-restore", "decision": {"kind": "end", "reason": "nothing-to-restore: nothing to try of itself"}, "evidence": [{"attempt": 1, "excerpt": "nothing", "kind": "bundle", "n_bytes": 722, "path": "evidence/attempt-1.json", "sha256": "aca8c594828f550d7281698d950377df2156f9dd0cfb5b14f1764cdec3f164c7"}], "exit": {"attempt": 1, "boot_id": "ba7c2907-a543-489a-9014-9e553aee571c", "casa_wall_s": 0.0, "cpu_s": 0.265, "ended_at": "2026-11-20T18:26:48.780933Z", "exit_code": 0, "host": "recorded.invalid", "oom_kills": 0, "peak_process_mb": 33, "peak_tree_mb": 33, "pid": 20835, "signal": null, "started_at": "2026-11-20T18:26:47.421431Z", "wall_s": 1.335, "why": "exit"}, "journal_offset": 1096, "judgement": {"caveats": ["restored-without-pipeline"], "decisive": "nothing", "error_class": "nothing-to-restore", "result": "refused", "rule": "nothing-to-restore@1", "signature": "sv1:ef3385d2047f", "symptoms": []}, "message": "nothing", "number": 1, "stage": "choose"}');
INSERT INTO "event" VALUES(62,4,0,4,'2026-11-20 18:26:48.918519','attempt.judged','{"code": null, "decision": {"kind": "retry", "reason": "killed: to be tried again"}, "evidence": [{"attempt": 1, "excerpt": "ended by SIGKILL (signal)", "kind": "bundle", "n_bytes": 599, "path": "evidence/attempt-1.json", "sha256": "995a8a73a29cc1d45bab844ec066f67e3a5e179192b70e99c5824ea8cb621e94"}], "exit": {"attempt": 1, "boot_id": "ba7c2907-a543-489a-9014-9e553aee571c", "casa_wall_s": 0.0, "cpu_s": 0.233, "ended_at": "2026-11-20T18:26:48.871316Z", "exit_code": null, "host": "recorded.invalid", "oom_kills": 0, "peak_process_mb": 33, "peak_tree_mb": 33, "pid": 20837, "signal": "SIGKILL", "started_at": "2026-11-20T18:26:47.500156Z", "wall_s": 1.349, "why": "signal"}, "journal_offset": 1457, "judgement": {"caveats": [], "decisive": "no-outcome SIGKILL", "error_class": "killed", "result": "lost", "rule": "killed@1", "signature": "sv1:73ff41551bea", "symptoms": []}, "message": null, "number": 1, "stage": null}');
INSERT INTO "event" VALUES(63,4,0,5,'2026-11-20 18:26:48.932706','attempt.submitting','{"executor": "local", "number": 2}');
INSERT INTO "event" VALUES(64,4,0,6,'2026-11-20 18:26:48.995296','attempt.submitted','{"job": "recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20869:3794534", "number": 2}');
INSERT INTO "event" VALUES(65,4,2,1,'2026-11-20 18:26:50.328469','attempt.started','{"dataset": "uid://A001/X1/X4", "run": "r4"}');
INSERT INTO "event" VALUES(66,4,2,2,'2026-11-20 18:26:50.332861','something.new','{"nobody": "knows this event"}');
INSERT INTO "event" VALUES(67,4,2,3,'2026-11-20 18:26:50.338098','delivery.read','{"notes": ["raw-missing: uid___A002_X1_X1"]}');
INSERT INTO "event" VALUES(68,4,2,4,'2026-11-20 18:26:50.342121','casa.chosen','{"because": ["4.7.2: README, line 1"], "build": "casa-test", "doubtful": true, "wanted": "4.7.2"}');
INSERT INTO "event" VALUES(69,4,2,5,'2026-11-20 18:26:50.346515','stage.kept','{"stage": "fetch"}');
INSERT INTO "event" VALUES(70,4,2,6,'2026-11-20 18:26:50.354602','stage.kept','{"stage": "choose"}');
INSERT INTO "event" VALUES(71,4,2,7,'2026-11-20 18:26:50.362117','stage.kept','{"stage": "restore"}');
INSERT INTO "event" VALUES(72,4,2,8,'2026-11-20 18:26:50.364001','stage.started','{"stage": "image"}');
INSERT INTO "event" VALUES(73,4,2,9,'2026-11-20 18:26:50.382079','stage.proven','{"stage": "image"}');
INSERT INTO "event" VALUES(74,4,2,10,'2026-11-20 18:26:50.387987','stage.started','{"stage": "derive"}');
INSERT INTO "event" VALUES(75,4,2,11,'2026-11-20 18:26:50.398081','stage.proven','{"stage": "derive"}');
INSERT INTO "event" VALUES(76,4,2,12,'2026-11-20 18:26:50.402224','stage.started','{"stage": "assess"}');
INSERT INTO "event" VALUES(77,4,2,13,'2026-11-20 18:26:50.422170','stage.proven','{"stage": "assess"}');
INSERT INTO "event" VALUES(78,4,2,14,'2026-11-20 18:26:50.442464','attempt.ended','{"finished": true}');
INSERT INTO "event" VALUES(79,4,0,7,'2026-11-20 18:26:50.963372','attempt.judged','{"code": null, "decision": {"kind": "end", "reason": "imaged"}, "evidence": [], "exit": {"attempt": 2, "boot_id": "ba7c2907-a543-489a-9014-9e553aee571c", "casa_wall_s": 0.0, "cpu_s": 0.26, "ended_at": "2026-11-20T18:26:50.884736Z", "exit_code": 0, "host": "recorded.invalid", "oom_kills": 0, "peak_process_mb": 33, "peak_tree_mb": 33, "pid": 20908, "signal": null, "started_at": "2026-11-20T18:26:49.273900Z", "wall_s": 1.598, "why": "exit"}, "journal_offset": 1809, "judgement": {"caveats": ["restored-without-pipeline"], "decisive": null, "error_class": null, "result": "imaged", "rule": null, "signature": null, "symptoms": []}, "message": null, "number": 2, "stage": "assess"}');
INSERT INTO "event" VALUES(80,6,0,1,'2026-01-02 03:04:05.000000','run.queued','{"dataset": "uid://A001/X1/X6", "run": "r6"}');
INSERT INTO "event" VALUES(81,7,0,1,'2026-01-02 03:04:05.000000','run.queued','{"dataset": "uid://A001/X1/X7", "run": "r7"}');
INSERT INTO "event" VALUES(82,6,0,2,'2026-11-20 18:26:51.189037','attempt.submitting','{"executor": "local", "number": 1}');
INSERT INTO "event" VALUES(83,6,0,3,'2026-11-20 18:26:51.206311','attempt.submitted','{"job": "recorded.invalid:ba7c2907-a543-489a-9014-9e553aee571c:20928:3794756", "number": 1}');
INSERT INTO "event" VALUES(84,6,1,1,'2026-11-20 18:26:51.998733','attempt.started','{"dataset": "uid://A001/X1/X6", "run": "r6"}');
INSERT INTO "event" VALUES(85,6,1,2,'2026-11-20 18:26:51.999430','something.new','{"nobody": "knows this event"}');
INSERT INTO "event" VALUES(86,6,1,3,'2026-11-20 18:26:52.002189','delivery.read','{"notes": ["raw-missing: uid___A002_X1_X1"]}');
INSERT INTO "event" VALUES(87,6,1,4,'2026-11-20 18:26:52.002669','casa.chosen','{"because": ["4.7.2: README, line 1"], "build": "casa-test", "doubtful": true, "wanted": "4.7.2"}');
INSERT INTO "event" VALUES(88,6,1,5,'2026-11-20 18:26:52.010269','stage.started','{"stage": "fetch"}');
INSERT INTO "event" VALUES(89,6,1,6,'2026-11-20 18:26:52.024939','stage.proven','{"stage": "fetch"}');
INSERT INTO "event" VALUES(90,6,1,7,'2026-11-20 18:26:52.026736','stage.started','{"stage": "choose"}');
INSERT INTO "event" VALUES(91,6,1,8,'2026-11-20 18:26:52.034111','stage.proven','{"stage": "choose"}');
INSERT INTO "event" VALUES(92,6,1,9,'2026-11-20 18:26:52.038506','stage.started','{"stage": "restore"}');
INSERT INTO "event" VALUES(93,6,1,10,'2026-11-20 18:26:52.051333','stage.proven','{"stage": "restore"}');
INSERT INTO "event" VALUES(94,6,1,11,'2026-11-20 18:26:52.053037','stage.started','{"stage": "image"}');
CREATE TABLE evidence (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	attempt_no SMALLINT NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	path VARCHAR(500) NOT NULL, 
	n_bytes BIGINT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	excerpt VARCHAR(500), 
	CONSTRAINT pk_evidence PRIMARY KEY (id), 
	CONSTRAINT uq_evidence_run_id UNIQUE (run_id, attempt_no, path), 
	CONSTRAINT fk_evidence_run_id FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "evidence" VALUES(1,2,1,'bundle','evidence/attempt-1.json',727,'485392ba2b8c1bd42be46ef5c981e3f34c0bf5fa2ac035ad5721c800ceffc5c5','a tar is cut');
INSERT INTO "evidence" VALUES(2,3,1,'bundle','evidence/attempt-1.json',722,'aca8c594828f550d7281698d950377df2156f9dd0cfb5b14f1764cdec3f164c7','nothing');
INSERT INTO "evidence" VALUES(3,4,1,'bundle','evidence/attempt-1.json',599,'995a8a73a29cc1d45bab844ec066f67e3a5e179192b70e99c5824ea8cb621e94','ended by SIGKILL (signal)');
CREATE TABLE failure (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	attempt_no SMALLINT NOT NULL, 
	stage VARCHAR(16), 
	result VARCHAR(16) NOT NULL, 
	error_class VARCHAR(64) NOT NULL, 
	signature VARCHAR(40), 
	code VARCHAR(64), 
	message VARCHAR(2000), 
	decisive VARCHAR(500), 
	failed_at DATETIME NOT NULL, 
	is_final BOOLEAN NOT NULL, 
	CONSTRAINT pk_failure PRIMARY KEY (id), 
	CONSTRAINT uq_failure_run_id UNIQUE (run_id, attempt_no), 
	CONSTRAINT fk_failure_run_id FOREIGN KEY(run_id) REFERENCES run (id), 
	CONSTRAINT ck_failure_stage CHECK (stage IN ('fetch', 'choose', 'restore', 'image', 'derive', 'assess')), 
	CONSTRAINT ck_failure_result CHECK (result IN ('imaged', 'partial', 'refused', 'failed', 'lost', 'cancelled')), 
	CONSTRAINT ck_failure_is_final CHECK (is_final IN (0, 1))
);
INSERT INTO "failure" VALUES(1,2,1,'fetch','failed','archive-file-damaged','sv1:317cbfe67b9e','archive-file-damaged','a tar is cut','a tar is cut','2026-11-20 18:26:47.008596',1);
INSERT INTO "failure" VALUES(2,3,1,'choose','refused','nothing-to-restore','sv1:ef3385d2047f','nothing-to-restore','nothing','nothing','2026-11-20 18:26:48.830778',1);
INSERT INTO "failure" VALUES(3,4,1,NULL,'lost','killed','sv1:73ff41551bea',NULL,NULL,'no-outcome SIGKILL','2026-11-20 18:26:48.918519',0);
CREATE TABLE fix_application (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	attempt_no SMALLINT NOT NULL, 
	seq BIGINT NOT NULL, 
	fix VARCHAR(64) NOT NULL, 
	applied_at DATETIME NOT NULL, 
	data TEXT NOT NULL, 
	CONSTRAINT pk_fix_application PRIMARY KEY (id), 
	CONSTRAINT uq_fix_application_run_id UNIQUE (run_id, attempt_no, seq), 
	CONSTRAINT fk_fix_application_run_id FOREIGN KEY(run_id) REFERENCES run (id)
);
CREATE TABLE holding (
	name VARCHAR(32) NOT NULL, 
	title VARCHAR(200), 
	archive VARCHAR(500), 
	synced_at DATETIME, 
	CONSTRAINT pk_holding PRIMARY KEY (name)
);
INSERT INTO "holding" VALUES('alma','alma',NULL,'2026-11-20 18:26:43.828337');
CREATE TABLE issue (
	name VARCHAR(64) NOT NULL, 
	title VARCHAR(200), 
	url VARCHAR(500), 
	CONSTRAINT pk_issue PRIMARY KEY (name)
);
INSERT INTO "issue" VALUES('aca-bdfflags','report ACA data whose flags an old import misread','CAS-8995');
INSERT INTO "issue" VALUES('antenna-positions-2017','report DA42 and DA50 while their positions were wrong','ALMA knowledge base: 390');
INSERT INTO "issue" VALUES('bundle-suffix','give .tar.gz bundles their .tgz name','ALMA knowledge base: S20');
INSERT INTO "issue" VALUES('field-coordinates-zero','give fields at 0,0 the direction that was observed','https://casa.nrao.edu/casadocs: fixplanets');
INSERT INTO "issue" VALUES('field-directions-displaced','give fields the direction that was pointed at','SACM-211');
INSERT INTO "issue" VALUES('field-name-hyphen','report delivered images of targets whose name ends in -','CASA 3.4 to 4.1: clean and field names that end in -');
INSERT INTO "issue" VALUES('field-names-awkward','report target names that are written otherwise','ALMA observing tool: names of sources');
INSERT INTO "issue" VALUES('flag-row-damaged','report a damaged FLAG_ROW','ALMA knowledge base: 283');
INSERT INTO "issue" VALUES('jao-fixes-lost','put the observatory''s fixes into the restore script','SACM/JAO - Fixes; CAS-4981, CSV-2841, ICT-3642');
INSERT INTO "issue" VALUES('mosaic-primary-beam','report mosaics with fluxes that are too high','ESO announcement: fluxes of mosaics');
INSERT INTO "issue" VALUES('planets-not-fixed','run fixplanets as the pipeline''s script did','SACM/JAO - Fixes; https://casa.nrao.edu/casadocs: fixplanets');
INSERT INTO "issue" VALUES('pointing-table-mosaic','empty the POINTING table of mosaics before an old CASA images','CASA 4.2.2: bug with mosaics');
INSERT INTO "issue" VALUES('python2-port','port scripts of CASA 5 and before to Python 3','archive.md 4.4: CASA 5 to 6, Python 2 to 3');
INSERT INTO "issue" VALUES('recipes-almahelpers','guard the import of recipes.almahelpers','https://casa.nrao.edu/casadocs: casarecipes; CAS-4981');
INSERT INTO "issue" VALUES('renormalisation','report line fluxes that nothing has renormalised','https://help.almascience.org: amplitude normalisation of strong line emission');
INSERT INTO "issue" VALUES('restoredata-renamed','know hifa_restoredata by its old name','ALMA knowledge base: S19');
INSERT INTO "issue" VALUES('source-ids-inconsistent','let fields name the sources that are called as they are','CSV-2555');
INSERT INTO "issue" VALUES('source-rows-lost','report fields, sources and spws that contradict each other','CSV-2555');
INSERT INTO "issue" VALUES('syscal-scans','report SYSCAL rows outside the atmosphere scans','CAS-4981, CSV-2841, ICT-3642');
INSERT INTO "issue" VALUES('syscal-times','give the antennas of a Tsys measurement one time','CAS-4981, CSV-2841, ICT-3642');
INSERT INTO "issue" VALUES('target-names','link target MSs under the name that a script uses','ACES-CMZ/reduction_ACES#282');
INSERT INTO "issue" VALUES('text-encoding','write delivered texts in UTF-8','https://docs.python.org/3/reference/lexical_analysis.html#encoding-declarations');
INSERT INTO "issue" VALUES('weights-before-43','report weights that are not absolute','https://casaguides.nrao.edu: DataWeightsAndCombination');
CREATE TABLE lease (
	name VARCHAR(32) NOT NULL, 
	owner VARCHAR(200) NOT NULL, 
	token BIGINT NOT NULL, 
	acquired_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_lease PRIMARY KEY (name)
);
CREATE TABLE product (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	name VARCHAR(250) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	image VARCHAR(200), 
	target VARCHAR(200), 
	spws VARCHAR(200), 
	specmode VARCHAR(16), 
	state VARCHAR(16) NOT NULL, 
	is_planned BOOLEAN NOT NULL, 
	reason VARCHAR(500), 
	path VARCHAR(500), 
	n_bytes BIGINT, 
	sha256 VARCHAR(64), 
	preview VARCHAR(500), 
	footprint VARCHAR(500), 
	admit VARCHAR(500), 
	numbers TEXT NOT NULL, 
	CONSTRAINT pk_product PRIMARY KEY (id), 
	CONSTRAINT uq_product_run_id UNIQUE (run_id, name), 
	CONSTRAINT fk_product_run_id FOREIGN KEY(run_id) REFERENCES run (id), 
	CONSTRAINT ck_product_state CHECK (state IN ('planned', 'made', 'mitigated', 'absent')), 
	CONSTRAINT ck_product_is_planned CHECK (is_planned IN (0, 1))
);
INSERT INTO "product" VALUES(1,1,'a.fits','pbcor','a','NGC_1','0','mfs','made',1,NULL,'image/products/a.fits',2880,NULL,NULL,NULL,NULL,'{"rms_jy_beam": 0.001}');
INSERT INTO "product" VALUES(2,1,'b.fits','pbcor','b','NGC_1','0','mfs','made',1,NULL,'image/products/b.fits',2880,NULL,NULL,NULL,NULL,'{"rms_jy_beam": 0.001}');
INSERT INTO "product" VALUES(3,4,'a.fits','pbcor','a','NGC_1','0','mfs','made',1,NULL,'image/products/a.fits',2880,NULL,NULL,NULL,NULL,'{"rms_jy_beam": 0.001}');
INSERT INTO "product" VALUES(4,4,'b.fits','pbcor','b','NGC_1','0','mfs','made',1,NULL,'image/products/b.fits',2880,NULL,NULL,NULL,NULL,'{"rms_jy_beam": 0.001}');
CREATE TABLE request (
	id INTEGER NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	run_id INTEGER, 
	author VARCHAR(64) NOT NULL, 
	reason VARCHAR(500), 
	created_at DATETIME NOT NULL, 
	taken_at DATETIME, 
	answer VARCHAR(200), 
	CONSTRAINT pk_request PRIMARY KEY (id), 
	CONSTRAINT fk_request_run_id FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "request" VALUES(1,'cancel',5,'somebody','no need','2026-11-20 18:26:44.266679','2026-11-20 18:26:44.657560','cancelled before it began');
CREATE TABLE run (
	id INTEGER NOT NULL, 
	run VARCHAR(40) NOT NULL, 
	dataset_id INTEGER NOT NULL, 
	recipe VARCHAR(64) NOT NULL, 
	recipe_digest VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	stage VARCHAR(16), 
	result VARCHAR(16), 
	error_class VARCHAR(64), 
	signature VARCHAR(40), 
	decisive VARCHAR(500), 
	build VARCHAR(64), 
	casa_asked VARCHAR(64), 
	category VARCHAR(64), 
	sweep VARCHAR(80), 
	retry_of VARCHAR(40), 
	directory VARCHAR(500) NOT NULL, 
	attempt_no SMALLINT NOT NULL, 
	priority SMALLINT NOT NULL, 
	memory_mb INTEGER NOT NULL, 
	limit_s DOUBLE NOT NULL, 
	created_at DATETIME NOT NULL, 
	submitted_at DATETIME, 
	started_at DATETIME, 
	ended_at DATETIME, 
	cancel_at DATETIME, 
	wall_s DOUBLE, 
	products_planned INTEGER NOT NULL, 
	products_made INTEGER NOT NULL, 
	caveats TEXT NOT NULL, 
	log_offset BIGINT NOT NULL, 
	CONSTRAINT pk_run PRIMARY KEY (id), 
	CONSTRAINT uq_run_run UNIQUE (run), 
	CONSTRAINT ck_run_result_iff_done CHECK ((state = 'done' AND result IS NOT NULL) OR (state <> 'done' AND result IS NULL)), 
	CONSTRAINT ck_run_class_iff_not_imaged CHECK ((result IS NOT NULL AND result <> 'imaged' AND error_class IS NOT NULL) OR ((result IS NULL OR result = 'imaged') AND error_class IS NULL)), 
	CONSTRAINT fk_run_dataset_id FOREIGN KEY(dataset_id) REFERENCES dataset (id), 
	CONSTRAINT ck_run_state CHECK (state IN ('queued', 'submitted', 'running', 'done')), 
	CONSTRAINT ck_run_stage CHECK (stage IN ('fetch', 'choose', 'restore', 'image', 'derive', 'assess')), 
	CONSTRAINT ck_run_result CHECK (result IN ('imaged', 'partial', 'refused', 'failed', 'lost', 'cancelled')), 
	CONSTRAINT fk_run_sweep FOREIGN KEY(sweep) REFERENCES sweep (name)
);
INSERT INTO "run" VALUES(1,'r1',1,'test','0','done','assess','imaged',NULL,NULL,NULL,'casa-test',NULL,NULL,NULL,NULL,'runs/uid___A001_X1_X1/r1',1,0,2000,60.0,'2026-01-02 03:04:05.000000','2026-11-20 18:26:44.694500','2026-11-20 18:26:46.188608','2026-11-20 18:26:46.935078',NULL,1.416,2,2,'["restored-without-pipeline"]',1227);
INSERT INTO "run" VALUES(2,'r2',2,'test','0','done','fetch','failed','archive-file-damaged','sv1:317cbfe67b9e','a tar is cut','casa-test',NULL,NULL,NULL,NULL,'runs/uid___A001_X1_X2/r2',1,0,2000,60.0,'2026-01-02 03:04:05.000000','2026-11-20 18:26:44.735844','2026-11-20 18:26:46.359885','2026-11-20 18:26:47.008596',NULL,1.331,0,0,'["restored-without-pipeline"]',1542);
INSERT INTO "run" VALUES(3,'r3',3,'test','0','done','choose','refused','nothing-to-restore','sv1:ef3385d2047f','nothing','casa-test',NULL,NULL,NULL,NULL,'runs/uid___A001_X1_X3/r3',1,0,2000,60.0,'2026-01-02 03:04:05.000000','2026-11-20 18:26:47.056950','2026-11-20 18:26:48.423299','2026-11-20 18:26:48.830778',NULL,1.335,0,0,'["restored-without-pipeline"]',1522);
INSERT INTO "run" VALUES(4,'r4',4,'test','0','done','assess','imaged',NULL,NULL,NULL,'casa-test',NULL,NULL,NULL,NULL,'runs/uid___A001_X1_X4/r4',2,0,2000,60.0,'2026-01-02 03:04:05.000000','2026-11-20 18:26:48.932706','2026-11-20 18:26:48.481842','2026-11-20 18:26:50.963372',NULL,2.947,2,2,'["restored-without-pipeline"]',2555);
INSERT INTO "run" VALUES(5,'r5',5,'test','0','done',NULL,'cancelled','cancelled',NULL,'no need',NULL,NULL,NULL,NULL,NULL,'runs/uid___A001_X1_X5/r5',0,0,2000,60.0,'2026-01-02 03:04:05.000000',NULL,NULL,'2026-11-20 18:26:44.625857',NULL,0.0,0,0,'[]',279);
INSERT INTO "run" VALUES(6,'r6',6,'test','0','running','image',NULL,NULL,NULL,NULL,'casa-test',NULL,NULL,NULL,NULL,'runs/uid___A001_X1_X6/r6',1,0,2000,60.0,'2026-01-02 03:04:05.000000','2026-11-20 18:26:51.189037','2026-11-20 18:26:51.998733',NULL,NULL,NULL,0,0,'[]',457);
INSERT INTO "run" VALUES(7,'r7',7,'test','0','queued',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'runs/uid___A001_X1_X7/r7',0,0,2000,60.0,'2026-01-02 03:04:05.000000',NULL,NULL,NULL,NULL,NULL,0,0,'[]',135);
CREATE TABLE stage_record (
	run_id INTEGER NOT NULL, 
	attempt_no SMALLINT NOT NULL, 
	stage VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	wall_s DOUBLE, 
	CONSTRAINT pk_stage_record PRIMARY KEY (run_id, attempt_no, stage), 
	CONSTRAINT fk_stage_record_run_id FOREIGN KEY(run_id, attempt_no) REFERENCES attempt (run_id, attempt_no), 
	CONSTRAINT ck_stage_record_stage CHECK (stage IN ('fetch', 'choose', 'restore', 'image', 'derive', 'assess')), 
	CONSTRAINT ck_stage_record_state CHECK (state IN ('begun', 'proven', 'adopted', 'kept', 'failed'))
);
INSERT INTO "stage_record" VALUES(1,1,'fetch','proven','2026-11-20 18:26:46.224065','2026-11-20 18:26:46.231081',0.007016);
INSERT INTO "stage_record" VALUES(1,1,'choose','proven','2026-11-20 18:26:46.234119','2026-11-20 18:26:46.250109',0.01599);
INSERT INTO "stage_record" VALUES(1,1,'restore','proven','2026-11-20 18:26:46.254470','2026-11-20 18:26:46.298102',0.043632);
INSERT INTO "stage_record" VALUES(1,1,'image','proven','2026-11-20 18:26:46.303572','2026-11-20 18:26:46.326073',0.022501);
INSERT INTO "stage_record" VALUES(1,1,'derive','proven','2026-11-20 18:26:46.330229','2026-11-20 18:26:46.342070',0.011841);
INSERT INTO "stage_record" VALUES(1,1,'assess','proven','2026-11-20 18:26:46.346211','2026-11-20 18:26:46.360071',0.01386);
INSERT INTO "stage_record" VALUES(2,1,'fetch','failed','2026-11-20 18:26:46.370241','2026-11-20 18:26:47.008596',0.638355);
INSERT INTO "stage_record" VALUES(3,1,'fetch','proven','2026-11-20 18:26:48.454143','2026-11-20 18:26:48.474905',0.020762);
INSERT INTO "stage_record" VALUES(3,1,'choose','failed','2026-11-20 18:26:48.475816','2026-11-20 18:26:48.830778',0.354962);
INSERT INTO "stage_record" VALUES(4,1,'fetch','proven','2026-11-20 18:26:48.502516','2026-11-20 18:26:48.526112',0.023596);
INSERT INTO "stage_record" VALUES(4,1,'choose','proven','2026-11-20 18:26:48.541385','2026-11-20 18:26:48.554104',0.012719);
INSERT INTO "stage_record" VALUES(4,1,'restore','proven','2026-11-20 18:26:48.563090','2026-11-20 18:26:48.590109',0.027019);
INSERT INTO "stage_record" VALUES(4,1,'image','failed','2026-11-20 18:26:48.602243','2026-11-20 18:26:48.918519',0.316276);
INSERT INTO "stage_record" VALUES(4,2,'fetch','kept','2026-11-20 18:26:50.346515','2026-11-20 18:26:50.346515',0.0);
INSERT INTO "stage_record" VALUES(4,2,'choose','kept','2026-11-20 18:26:50.354602','2026-11-20 18:26:50.354602',0.0);
INSERT INTO "stage_record" VALUES(4,2,'restore','kept','2026-11-20 18:26:50.362117','2026-11-20 18:26:50.362117',0.0);
INSERT INTO "stage_record" VALUES(4,2,'image','proven','2026-11-20 18:26:50.364001','2026-11-20 18:26:50.382079',0.018078);
INSERT INTO "stage_record" VALUES(4,2,'derive','proven','2026-11-20 18:26:50.387987','2026-11-20 18:26:50.398081',0.010094);
INSERT INTO "stage_record" VALUES(4,2,'assess','proven','2026-11-20 18:26:50.402224','2026-11-20 18:26:50.422170',0.019946);
INSERT INTO "stage_record" VALUES(6,1,'fetch','proven','2026-11-20 18:26:52.010269','2026-11-20 18:26:52.024939',0.01467);
INSERT INTO "stage_record" VALUES(6,1,'choose','proven','2026-11-20 18:26:52.026736','2026-11-20 18:26:52.034111',0.007375);
INSERT INTO "stage_record" VALUES(6,1,'restore','proven','2026-11-20 18:26:52.038506','2026-11-20 18:26:52.051333',0.012827);
INSERT INTO "stage_record" VALUES(6,1,'image','begun','2026-11-20 18:26:52.053037',NULL,NULL);
CREATE TABLE sweep (
	name VARCHAR(80) NOT NULL, 
	category VARCHAR(64) NOT NULL, 
	holding VARCHAR(32) NOT NULL, 
	recipe VARCHAR(64) NOT NULL, 
	is_pilot BOOLEAN NOT NULL, 
	n_datasets INTEGER NOT NULL, 
	author VARCHAR(64), 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_sweep PRIMARY KEY (name), 
	CONSTRAINT fk_sweep_category FOREIGN KEY(category) REFERENCES category (name), 
	CONSTRAINT fk_sweep_holding FOREIGN KEY(holding) REFERENCES holding (name), 
	CONSTRAINT ck_sweep_is_pilot CHECK (is_pilot IN (0, 1))
);
INSERT INTO "sweep" VALUES('demo-1','demo','alma','test',0,2,'somebody','2026-11-20 18:26:43.938311');
CREATE INDEX ix_dataset_alma_mous ON dataset_alma (mous);
CREATE INDEX ix_dataset_alma_project ON dataset_alma (project);
CREATE INDEX ix_category_member_dataset_id ON category_member (dataset_id);
CREATE UNIQUE INDEX ux_run_live ON run ((CASE WHEN state <> 'done' THEN dataset_id END), (CASE WHEN state <> 'done' THEN recipe END));
CREATE INDEX ix_run_state ON run (state, priority, id);
CREATE INDEX ix_run_dataset ON run (dataset_id, id);
CREATE INDEX ix_run_class ON run (error_class, ended_at);
CREATE INDEX ix_run_signature ON run (signature, ended_at);
CREATE INDEX ix_run_category ON run (category, ended_at);
CREATE INDEX ix_run_build ON run (build, category);
CREATE INDEX ix_run_sweep ON run (sweep);
CREATE INDEX ix_failure_class ON failure (error_class, failed_at);
CREATE INDEX ix_failure_signature ON failure (signature, failed_at);
CREATE INDEX ix_classification_failure ON classification (failure_id);
CREATE INDEX ix_fix_application_fix ON fix_application (fix);
CREATE INDEX ix_request_open ON request (taken_at, id);
COMMIT;
